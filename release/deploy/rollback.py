"""What a stage can go back to, and the lock file that says so."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from release.deploy.history import Release, pin_of, previous
from release.deploy.interruption import uninterrupted
from release.deploy.live import Live
from release.deploy.take_back import InterruptedDeploymentError, LeftDeploymentError
from release.errors import CannotDoError, RefusedError
from release.project import Project, Stage
from release.repository.repository import StageRepository
from stacks.image_lock import ImagePin, read_image_lock, write_image_lock
from stacks.settings import ConfigurationError


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
        CannotDoError: AWS cannot be asked.

    """
    listed = f"What there is: python -m release rollback {stage.name} --list"
    if live is None or not history:
        raise RefusedError(f"{stage.name} was never deployed, so there is nothing to go back to")
    current = current_release(history, live)
    if to:
        chosen = pin_of(history, to)
        if chosen is None:
            raise RefusedError(f"{to} was never deployed at {stage.name}\n{listed}")
    elif current is None:
        raise RefusedError(
            f"{live} is live, which no deployment has left there, so what was before it is not"
            f" known: choose with --to sha256:...\n{listed}"
        )
    else:
        chosen = previous(history, current.pin)
        if chosen is None:
            raise RefusedError(
                f"{stage.name} ran no other image before {live}\n{listed}\n"
                f"The same code without an image: python -m release deploy {stage.name}"
                " --packaging zip"
            )
    _require_there(stage, history, chosen)
    return chosen


@contextmanager
def pinned(project: Project, stage: Stage, pin: ImagePin) -> Iterator[None]:
    """Pin an image in the lock file; put the file back as it was unless the deployment succeeds.

    Where an end came too late, what is live stays pinned.

    Raises:
        CannotDoError: the lock file cannot be read or written.

    """
    lock = project.lock
    try:
        as_it_was = lock.read_bytes()
        pins = {**read_image_lock(lock), stage.name: pin}
    except ConfigurationError as error:
        raise CannotDoError(str(error)) from None
    except OSError as error:
        raise CannotDoError(f"{lock} cannot be read: {error.strerror}") from None
    try:
        _write(lock, pins)
        yield
    except (InterruptedDeploymentError, LeftDeploymentError) as left:
        if not left.outcome.completed:
            _put_back(lock, as_it_was)
        raise
    except BaseException:
        _put_back(lock, as_it_was)
        raise


def _write(lock: Path, pins: Mapping[str, ImagePin]) -> None:
    try:
        write_image_lock(lock, pins)
    except OSError as error:
        raise CannotDoError(f"{lock} cannot be written: {error.strerror}") from None


def _put_back(lock: Path, content: bytes) -> None:
    temporary = lock.with_suffix(".tmp")
    try:
        with uninterrupted():
            if lock.read_bytes() != content:
                temporary.write_bytes(content)
                temporary.replace(lock)
    except OSError as error:
        raise CannotDoError(
            f"the deployment did not go through, and {lock.name} could not be put back as it was"
            f" ({error.strerror}): git checkout {lock.name}"
        ) from None


def _require_there(stage: Stage, history: Sequence[Release], chosen: ImagePin) -> None:
    repository = StageRepository(stage)
    status = repository.status(chosen.digest)
    if status == "ACTIVE":
        return
    found = f"is {status}" if status else "is not there any more"
    others = _older_that_are_there(repository, history, chosen)
    to = (
        f"go back further: python -m release rollback {stage.name} --to {others.digest}"
        if others
        else f"no older one is there: python -m release deploy {stage.name} --packaging zip"
    )
    raise RefusedError(f"{chosen.digest} {found} in the repository {stage.names.repository}; {to}")


def _older_that_are_there(
    repository: StageRepository, history: Sequence[Release], chosen: ImagePin
) -> ImagePin | None:
    older = previous(history, chosen)
    while older and repository.status(older.digest) != "ACTIVE":
        older = previous(history, older)
    return older
