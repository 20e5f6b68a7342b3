"""The emulated account: its id and Region, and the lock around its state."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lambda_runtime.variables import CREDENTIALS

__all__ = ["ACCOUNT_ID", "ACCOUNT_LOCK", "CREDENTIALS", "REGION", "AccountLock"]

ACCOUNT_ID = "123456789012"
REGION = "ap-northeast-1"


class AccountLock:
    """A fair lock around moto's state, which is global to this process and not thread-safe.

    It is not reentrant. Requests to DynamoDB, which is atomic itself, do without it.
    """

    def __init__(self) -> None:
        """Begin unlocked."""
        self._turn = threading.Condition()
        self._next = 0
        self._served = 0
        self._holder: int | None = None

    def __enter__(self) -> None:
        """Acquire it."""
        with self._turn:
            mine, self._next = self._next, self._next + 1
            self._turn.wait_for(lambda: self._served == mine)
            self._holder = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        """Release it."""
        with self._turn:
            self._served += 1
            self._holder = None
            self._turn.notify_all()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Release it for the length of a block, in which its holder waits for a function.

        Does nothing where the thread does not hold it, as with moto in-process without a server.
        """
        if self._holder != threading.get_ident():
            yield
            return
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def yield_turn(self) -> None:
        """Let the threads that wait now go first: for a holder that takes long."""
        with self.released():
            pass


ACCOUNT_LOCK = AccountLock()
"""The one lock: moto's state is global."""
