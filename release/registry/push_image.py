"""The image that was built last, pushed to where a stage takes its images from."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from config.project import Stage
from imagecheck.image.aws import aws_client
from imagecheck.image.errors import DamagedImageError, NotInRegistryError
from imagecheck.image.image_reader import Progress
from imagecheck.image.manifest import digest_of
from imagecheck.image.open_source import open_source
from imagecheck.image.reference import Reference, RegistryReference
from imagecheck.image.registry_session import RegistrySession, access_to
from imagecheck.image.source import ImageSource
from release.build.record import BuildRecord
from release.errors import RefusedError
from release.registry.ecr_access import ecr_access
from release.registry.push import Pushed, TagTakenError, push
from release.registry.repository import StageRepository


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
        FailedError: it cannot be pushed.
        ImageReadError: the image cannot be read.

    """
    require_commit(stage, record, changed="")
    with closing(open_source(image)) as source:
        _require_the_one(source, record)
        with _session(stage, to) as registry:
            try:
                pushed = push(source, registry, tag=record.source_revision, progress=progress)
            except TagTakenError as error:
                raise _taken(registry.place, record, error.holder) from error
            return Arrived(registry.place, record.source_revision, pushed)


def require_commit(stage: Stage, record: BuildRecord, *, changed: str) -> None:
    """Require that an image was built from a commit: its tag. Raises RefusedError.

    ``changed`` names the files that are in no commit now.
    """
    if record.dirty:
        raise RefusedError(
            f"{record.digest} was built from uncommitted changes, so no commit names it"
            + (f"; now these are: {changed}" if changed else ""),
            hint=f"commit them, and build again: python -m release build {stage.name}",
        )


def _taken(place: str, record: BuildRecord, holder: str) -> RefusedError:
    """Return the error for a commit that has another image already."""
    return RefusedError(
        f"{place} has another image of commit {record.source_revision}: {holder}, and this one is"
        f" {record.digest}. Either that one was built from something else, or the build is not"
        " reproducible (another builder, another base)",
        hint=f"compare them: python -m release check oci:build/image --against docker://{place}"
        f"@{holder} --architecture {record.architecture}\n"
        "tags do not move: to release this image, build it from a commit of its own",
    )


def _require_the_one(source: ImageSource, record: BuildRecord) -> None:
    """Require that it is the image of the record, which says which gates it has passed."""
    try:
        digest = digest_of(source.root().content)
    except (DamagedImageError, NotInRegistryError) as error:
        raise RefusedError(f"{source.reference} cannot be pushed: {error}") from error
    if digest != record.digest:
        raise RefusedError(
            f"{source.reference} is {digest}, but the image that was built and has passed the gates"
            f" is {record.digest}",
            hint="build again, or push that image",
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
