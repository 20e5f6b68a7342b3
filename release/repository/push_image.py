"""The image that was built last, pushed to where a stage takes its images from."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from imagecheck.image.errors import DamagedImageError, NotInRegistryError
from imagecheck.image.image import Progress
from imagecheck.image.manifest import digest_of
from imagecheck.image.open_source import open_source
from imagecheck.image.reference import Reference, RegistryReference
from imagecheck.image.registry_session import RegistrySession, access_to
from imagecheck.image.source import ImageSource
from release.aws import aws_client
from release.errors import RefusedError
from release.project import Stage
from release.record import BuildRecord
from release.repository.ecr_access import ecr_access
from release.repository.push import Pushed, TagTakenError, push
from release.repository.repository import StageRepository


@dataclass(frozen=True)
class Arrived:
    """An image that was pushed."""

    repository: str
    """HOST/NAME."""
    tag: str
    pushed: Pushed


def push_image(
    stage: Stage,
    record: BuildRecord,
    image: Reference,
    *,
    to: RegistryReference | None,
    progress: Progress,
) -> Arrived:
    """Push the image under the revision that it was built from.

    ``to`` is another repository than the stage's, its tag and digest apart.

    Raises:
        RefusedError: it is another image than the record's, was not built from a commit, or the
            revision's tag is that of another image.
        CannotDoError: it cannot be pushed.
        CannotLookError: the image cannot be read.

    """
    if record.dirty:
        raise RefusedError(
            f"{record.digest} was built from changes that are in no commit, so there is no revision"
            f" to tag it with: commit them, and run `python -m release build {stage.name}`"
        )
    with closing(open_source(image)) as source:
        _require_the_one(source, record)
        with _session(stage, to) as registry:
            try:
                pushed = push(source, registry, tag=record.source_revision, progress=progress)
            except TagTakenError as error:
                raise RefusedError(explain_taken(registry.place, record, error.holder)) from None
            return Arrived(registry.place, record.source_revision, pushed)


def explain_taken(place: str, record: BuildRecord, holder: str) -> str:
    """Say what it means that a commit has two images."""
    return (
        f"{place} has another image of commit {record.source_revision}: {holder}, and this one is"
        f" {record.digest}. Either that one was built of something else, or the build is not"
        " reproducible (another builder, another base): see what differs with"
        f" `python -m release check oci:build/image --against docker://{place}@{holder}"
        f" --architecture {record.architecture}`. Tags do not move; to release this image,"
        " build it from a commit of its own"
    )


def _require_the_one(source: ImageSource, record: BuildRecord) -> None:
    """See that it is the image of which the record says which gates it has passed."""
    try:
        digest = digest_of(source.root().content)
    except (DamagedImageError, NotInRegistryError) as error:
        raise RefusedError(f"{source.reference} cannot be pushed: {error}") from None
    if digest != record.digest:
        raise RefusedError(
            f"{source.reference} is {digest}, but what was built and has passed the gates is"
            f" {record.digest}: build again, or push that one"
        )


@contextmanager
def _session(stage: Stage, to: RegistryReference | None) -> Iterator[RegistrySession]:
    if to is None:
        with StageRepository(stage).opened() as session:
            yield session
        return
    if place := to.private_ecr:
        access = ecr_access(aws_client("ecr", place.region), to, "pull,push")
    else:
        access = access_to(to, "pull,push")
    with closing(RegistrySession(access)) as session:
        yield session
