"""The emulated account: who it is, and what guards its state."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from local.lambda_variables import CREDENTIALS

__all__ = ["ACCOUNT_ID", "ACCOUNT_LOCK", "CREDENTIALS", "REGION", "AccountLock"]

ACCOUNT_ID = "123456789012"
REGION = "ap-northeast-1"


class AccountLock:
    """Held by whoever touches moto's state, which is of this process and not made for threads.

    Its DynamoDB is not atomic under several: it over-fills rooms. Who asks first, gets it first.
    Not to be taken twice by one thread.
    """

    def __init__(self) -> None:
        """Make it free."""
        self._turn = threading.Condition()
        self._next = 0
        self._served = 0
        self._holder: int | None = None

    def __enter__(self) -> None:
        """Wait for it."""
        with self._turn:
            mine, self._next = self._next, self._next + 1
            self._turn.wait_for(lambda: self._served == mine)
            self._holder = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        with self._turn:
            self._served += 1
            self._holder = None
            self._turn.notify_all()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Let others have it meanwhile: for one who holds it and waits for a function.

        Who does not hold it, as with moto in the same process and no server, has nothing to give.
        """
        if self._holder != threading.get_ident():
            yield
            return
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def let_others(self) -> None:
        """Let those have it who wait now: for one who holds it for long."""
        with self.released():
            pass


ACCOUNT_LOCK = AccountLock()
"""There is one state, so there is one lock."""
