"""Promotes an image: copies the same bytes from one stage's repository to another's."""

from contextlib import closing
from dataclasses import dataclass

import msgspec

from config.image_lock import ImagePin, pins_of, read_image_lock, write_pin
from config.json_file import DamagedFileError
from config.project import Project, Stage, now
from imagecheck.check import check_image
from imagecheck.errors import FailedError
from imagecheck.function import Function
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import RegistryReference
from imagecheck.progress import ProgressBar
from imagecheck.terminal import step
from release.errors import RefusedError
from release.pin import require_clean
from release.place import say_place
from release.registry.push import Pushed, TagTakenError, push
from release.registry.repository import StageRepository
from release.shared_account import warn_if_shared


@dataclass(frozen=True)
class Promoted:
    """An image that has moved on."""

    pin: ImagePin
    repository: str
    """Where it has gone: HOST/NAME."""
    pushed: Pushed


def promote_image(
    project: Project,
    source: Stage,
    target: Stage,
    *,
    cache: LayerCache,
    pinned_at: str | None = None,
) -> Promoted:
    """Copy the image that a stage is pinned to, and its entry in the lock file, to another stage.

    The copy is checked where it has arrived (rule H5), and then only the lock file is written.
    ``pinned_at`` is the time that the entry gets; None: now.

    Raises:
        RefusedError: there is nothing to promote, it does not fit, or the check finds errors.
        FailedError: git, AWS or the registry cannot be asked, or the lock cannot be written.
        ImageReadError: the copy cannot be checked.

    """
    pin = _pin_to_promote(project, source, target)
    for stage in (source, target):
        say_place(stage)
    warn_if_shared(target, [source])
    beginning, end = StageRepository(source), StageRepository(target)
    beginning.require(pin.digest)
    with step(f"copying {pin.digest} to {end.uri}"):
        pushed = _copy(beginning, end, pin)
    try:
        with step("checking it there"):
            _check(end.reference(pin.digest), pin, target, cache)
        pin = msgspec.structs.replace(pin, pinned_at=pinned_at or now())
        write_pin(project.lock, target.name, pin)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"the image is in {end.uri}, and the lock file is as it was: the same command goes on"
        ) from None  # the interruption itself
    return Promoted(pin, end.uri, pushed)


def _pin_to_promote(project: Project, source: Stage, target: Stage) -> ImagePin:
    if source.name == target.name:
        raise RefusedError(
            f"{source.name} cannot be promoted to itself",
            hint="choose another stage as the target",
        )
    require_clean(project)
    pin = read_image_lock(project.lock).get(source.name)
    if pin is None:
        raise RefusedError(
            f"no image is pinned for {source.name}",
            hint=f"build an image, then check, boot, push and pin it:"
            f" python -m release build {source.name}",
        )
    if pin != _committed_pin(project, source.name):
        raise RefusedError(
            f"the pin of {source.name} is not committed, so nobody else can have seen it run",
            hint=f"git add {project.lock.name} && git commit, deploy {source.name}, then promote",
        )
    if pin.architecture != target.settings.architecture:
        raise RefusedError(
            f"the image of {source.name} is for {pin.architecture}, but the functions of"
            f" {target.name} are {target.settings.architecture} (cdk.json)",
            hint=f"python -m release build {target.name}",
        )
    return pin


def _committed_pin(project: Project, stage: str) -> ImagePin | None:
    committed = project.committed_lock()
    if committed is None:
        return None
    try:
        return pins_of(committed).get(stage)
    except DamagedFileError as error:
        name = project.lock.name
        raise FailedError(
            f"{name} of the last commit: {error}",
            hint=f"commit one that can be read: git commit --only -- {name}",
        ) from error


def _copy(beginning: StageRepository, end: StageRepository, pin: ImagePin) -> Pushed:
    with (
        closing(beginning.source(pin.digest)) as image,
        end.opened() as registry,
        ProgressBar("copying layers") as progress,
    ):
        try:
            return push(image, registry, tag=pin.source_revision, progress=progress)
        except TagTakenError as error:
            raise RefusedError(
                f"{end.uri} has another image of commit {pin.source_revision}: {error.holder}, and"
                f" that of the pin is {pin.digest}; one of them was not built as the other",
                hint=f"compare them: python -m release check docker://{beginning.uri}@{pin.digest}"
                f" --against docker://{end.uri}@{error.holder} --architecture {pin.architecture}",
            ) from error


def _check(image: RegistryReference, pin: ImagePin, target: Stage, cache: LayerCache) -> None:
    with ProgressBar() as progress:
        report = check_image(
            image, Function(target.settings.architecture), cache=cache, progress=progress
        )
    errors = [finding for finding in report.findings if finding.severity == "error"]
    if errors:
        raise RefusedError(
            "\n  ".join(
                (
                    f"{image} does not pass the check, and {target.name} stays as it is:",
                    *(f"{finding.rule}: {finding.found}" for finding in errors),
                )
            ),
            hint=f"python -m release check {image} --architecture {pin.architecture}",
        )
