"""The checks before a deployment changes anything."""

from config.project import Project, Stage
from imagecheck.errors import FailedError
from imagecheck.image.layer_cache import LayerCache, default_folder
from imagecheck.progress import ProgressBar
from imagecheck.terminal import step, warn
from release.boot.boot import boot_image
from release.build.gates import passed_gates
from release.build.record import read_record
from release.deploy.live import Stack
from release.errors import RefusedError
from release.registry.guard import guard
from release.registry.repository import StageRepository


def require_idle(stage: Stage, stack: Stack | None) -> None:
    """Require that CloudFormation can change the stack. Raises RefusedError when it cannot."""
    if stack is None or stack.status == "REVIEW_IN_PROGRESS":
        return
    if stack.status.endswith("_IN_PROGRESS"):
        raise RefusedError(
            f"the stack {stack.name} is {stack.status}: another deployment is in progress",
            hint="wait until it has ended, and try again",
        )
    if stack.status in {"UPDATE_ROLLBACK_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"}:
        raise RefusedError(
            f"the stack {stack.name} is {stack.status}, and must be repaired before it can change",
            hint=f"python -m release diagnose {stage.name}",
        )


def require_image(stage: Stage, digest: str, *, skip_lifecycle: bool) -> None:
    """Require that the image is there and stays there, as do those that are live.

    Raises:
        RefusedError: an image is missing, or a lifecycle rule can take one away.
        FailedError: AWS cannot be asked.

    """
    if skip_lifecycle:
        StageRepository(stage).require(digest)
    else:
        for warning in guard(stage, [digest]):
            warn(f"warning: {warning}")


def require_booted(project: Project, stage: Stage, digest: str, *, skip: bool) -> None:
    """Require that an image without a canary has been booted: before, or else now.

    Raises:
        RefusedError: it does not start, or was built here and not booted.
        FailedError: it cannot be booted here.

    """
    if skip:
        return
    if "boot" in passed_gates(project.root, digest, stage.settings.architecture):
        return
    if _built_here(project, stage) == digest:
        raise RefusedError(
            f"{digest} has not passed `boot`, and no canary would watch it",
            hint=f"python -m release boot {stage.name}\n{_skipping(stage)}",
        )
    try:
        with step(f"booting {digest}, which was not built here"), ProgressBar() as progress:
            reference = StageRepository(stage).reference(digest)
            cache = LayerCache(default_folder())
            booted = boot_image(project, stage, reference, cache=cache, progress=progress)
    except FailedError as error:
        raise FailedError(
            f"it cannot be found out whether {digest} starts, and no canary would watch it: "
            + error.message,
            hint="\n".join(filter(None, (error.hint, _skipping(stage)))),
        ) from error
    if failure := booted.failure:
        found = ": ".join(filter(None, (failure.at, failure.error_type, failure.message)))
        raise RefusedError(
            f"{digest} does not start, and no canary would watch it: {found}",
            hint=f"python -m release boot {stage.name} --image {reference}",
        )


def _built_here(project: Project, stage: Stage) -> str | None:
    try:
        return read_record(project.root, stage.name).digest
    except FailedError:
        return None


def _skipping(stage: Stage) -> str:
    return f"or, if you must: python -m release deploy {stage.name} --skip-boot"
