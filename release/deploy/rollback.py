"""The image that a stage rolls back to, and its pin."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from config.file_lock import waiting_for_lock
from config.image_lock import AS_COMMITTED, ImagePin, reason_of, take_back_pin, write_pin
from config.project import Project, Stage
from imagecheck.errors import CommandError, FailedError
from imagecheck.terminal import warn
from release.build.record import BUILD
from release.deploy.cancel_deployment import InterruptedDeploymentError, LeftDeploymentError
from release.deploy.history import Release, pin_of, previous
from release.deploy.live import Live
from release.deploy.signals import ignored_signals
from release.errors import RefusedError
from release.registry.repository import StageRepository


def current_release(history: Sequence[Release], live: Live | None) -> Release | None:
    """Return the release that is live; None when none of them is."""
    if live is None:
        return None
    digest = live.digest
    matching = [one for one in history if (one.pin.digest if one.pin else None) == digest]
    return matching[-1] if matching else None


def choose(stage: Stage, history: Sequence[Release], live: Live | None, to: str | None) -> ImagePin:
    """Return what to go back to: ``to`` (a digest), or what ran before what is live.

    Raises:
        RefusedError: there is no such release, or its image is no longer there.
        FailedError: AWS cannot be asked.

    """
    listed = f"list the releases: python -m release rollback {stage.name} --list"
    if live is None or not history:
        raise RefusedError(
            f"{stage.name} was never deployed in {stage.place}, so there is nothing to roll back"
            " to",
            hint=stage.elsewhere,
        )
    current = current_release(history, live)
    if to:
        chosen = pin_of(history, to)
        if chosen is None:
            raise RefusedError(f"{to} was never deployed at {stage.name}", hint=listed)
    elif current is None:
        raise RefusedError(
            f"{live} is live, and no release deployed it, so the previous image is unknown",
            hint=f"choose one with --to sha256:...\n{listed}",
        )
    else:
        chosen = previous(history, current.pin)
        if chosen is None:
            raise RefusedError(
                f"{stage.name} ran no other image before {live}",
                hint=f"{listed}\ndeploy the same code without an image:"
                f" python -m release deploy {stage.name} --packaging zip",
            )
    _require_there(stage, history, chosen)
    return chosen


@contextmanager
def pinned(project: Project, stage: Stage, pin: ImagePin) -> Iterator[None]:
    """Pin an image in the lock file; take that back unless the deployment succeeds.

    What others pin meanwhile stays. Where an end came too late, what is live stays pinned. Another
    deployment of the stage from this checkout comes after it, or each would take back the other's.

    Raises:
        FailedError: the lock file cannot be read or written.

    """
    other = f"another deployment of {stage.name} from this checkout"
    with waiting_for_lock(project.root / BUILD / f"deploy-{stage.name}.lock", other):
        lock = project.lock
        try:
            as_it_was = lock.read_bytes()
        except OSError as error:
            raise FailedError(f"{lock} cannot be read: {error.strerror}") from error
        write_pin(lock, stage.name, pin)
        try:
            yield
        except (InterruptedDeploymentError, LeftDeploymentError) as left:
            if not left.outcome.completed:
                _put_back(project, stage, pin, as_it_was)
            raise
        except BaseException:
            _put_back(project, stage, pin, as_it_was)
            raise


def _put_back(project: Project, stage: Stage, pin: ImagePin, as_it_was: bytes) -> None:
    name = project.lock.name
    try:
        with ignored_signals():
            is_back = take_back_pin(project.lock, stage.name, pin, as_it_was)
    except (CommandError, OSError) as error:
        raise FailedError(
            f"the deployment failed, and {name} could not be restored: {reason_of(error)}; it"
            f" still pins {pin.digest} for {stage.name}",
            hint=AS_COMMITTED.format(name=name),
        ) from error
    if not is_back:
        warn(f"{name} keeps the pin of {stage.name}: another command has changed it meanwhile")


def _require_there(stage: Stage, history: Sequence[Release], chosen: ImagePin) -> None:
    repository = StageRepository(stage)
    status = repository.status(chosen.digest)
    if status == "ACTIVE":
        return
    found = f"is {status}" if status else "is no longer there"
    others = _older_that_are_there(repository, history, chosen)
    to = (
        f"roll back further: python -m release rollback {stage.name} --to {others.digest}"
        if others
        else "no older image is there; deploy the same code without an image:"
        f" python -m release deploy {stage.name} --packaging zip"
    )
    raise RefusedError(
        f"{chosen.digest} {found} in the repository {stage.names.repository}", hint=to
    )


def _older_that_are_there(
    repository: StageRepository, history: Sequence[Release], chosen: ImagePin
) -> ImagePin | None:
    older = previous(history, chosen)
    while older and repository.status(older.digest) != "ACTIVE":
        older = previous(history, older)
    return older
