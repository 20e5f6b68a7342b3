"""Locks between processes that end with their process, on every system."""

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from imagecheck.errors import FailedError

_LOOK_SECONDS: Final = 0.05
_SILENT_SECONDS: Final = 1


class LockedError(FailedError):
    """Another process has the lock."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock that a file stands for. Raises LockedError where another process has it.

    SQLite locks a file in each system's own way: https://www.sqlite.org/lockingv3.html. The file
    is made where it is not there, and stays, empty: who deleted it would let two in at once.

    Raises FailedError when it cannot be made.
    """
    with _connected(path) as begin:
        if not begin():
            raise LockedError(f"another process has {path}")
        yield


@contextmanager
def waiting_for_lock(path: Path, waits_for: str) -> Iterator[None]:
    """Hold a lock as ``locked`` does, after whoever has it; that is said after a second.

    It waits for as long as it takes: Ctrl-C ends that, and nothing has been done then.
    """
    with _connected(path) as begin:
        began, is_said = time.monotonic(), False
        while not begin():
            if not is_said and time.monotonic() - began >= _SILENT_SECONDS:
                # The CDK app imports this, and has no library for terminals.
                with suppress(OSError):
                    sys.stderr.write(f"waiting for {waits_for}\n")
                    sys.stderr.flush()
                is_said = True
            time.sleep(_LOOK_SECONDS)
        yield


@contextmanager
def _connected(path: Path) -> Iterator[Callable[[], bool]]:
    """Give a function that takes the lock, and says whether it could."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite opens what it may only read all the same, and lets everybody in at once.
        path.open("ab").close()
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from error

    def begin() -> bool:
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                return False
            raise _unusable(path, error) from error
        return True

    with closing(connection):
        yield begin


def _unusable(path: Path, error: Exception) -> FailedError:
    reason = getattr(error, "strerror", None) or error
    return FailedError(f"{path} cannot be locked: {reason}; nothing was changed")
