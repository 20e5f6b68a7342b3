"""The emulated account: its id and Region, and the lock around its state."""

import threading
from collections import deque
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
        self._mutex = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Lock] = deque()
        self._holder: int | None = None

    def __enter__(self) -> None:
        """Acquire it."""
        turn = threading.Lock()
        with self._mutex:
            if self._is_held:
                turn.acquire()
                self._waiting.append(turn)
            self._is_held = True
        with turn:  # Whoever releases the account's lock releases it.
            self._holder = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        """Release it."""
        with self._mutex:
            self._holder = None
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_held = False

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
