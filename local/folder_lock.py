"""A lock on a folder that ends with its process, on every system."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config import file_lock
from imagecheck.errors import FailedError


class WorkFolderInUseError(FailedError):
    """Another system runs in the same folder; each would overwrite the other's files."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other systems out of a folder. Raises WorkFolderInUseError when one is there."""
    with ExitStack() as stack:
        try:
            stack.enter_context(file_lock.locked(folder / "lock"))
        except file_lock.LockedError as error:
            raise WorkFolderInUseError(
                f"another system runs in {folder}",
                hint="end that one first: one folder serves one system at a time",
            ) from error
        yield
