"""A lock on a folder that ends with its process, on every system."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from imagecheck.errors import FailedError


class WorkFolderInUseError(FailedError):
    """Another system runs in the same folder; each would overwrite the other's files."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other systems out of a folder. Raises WorkFolderInUseError when one is there.

    SQLite locks a file in each system's own way: https://www.sqlite.org/lockingv3.html. The file
    stays empty.
    """
    with closing(sqlite3.connect(folder / "lock", timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise WorkFolderInUseError(
                f"another system runs in {folder}",
                hint="end that one first: one folder serves one system at a time",
            ) from error
        yield
