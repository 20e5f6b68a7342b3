"""What lies between the function and its table."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lambda_src.rooms.endpoint import Credentials, endpoint
from lambda_src.rooms.transport import LostError, Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_src.rooms.answer import Answer

CREDENTIALS = Credentials("test", "test", "")
PATIENT_S = 30
"""Enough for an attempt that does not fail, of two hundred threads on two cores."""


class Wire(Transport):
    """Loses answers, and holds requests back; of writes alone, since a lost read is only repeated.

    The real connection, the real retries and the real table: nothing is made up, only late or lost.

    Args:
        url: where the table is.
        attempt_s: the longest time of an attempt.

    """

    def __init__(self, url: str, *, attempt_s: float = 2 * PATIENT_S) -> None:
        place = endpoint({"AWS_ENDPOINT_URL": url, "AWS_REGION": "ap-northeast-1"})
        half = attempt_s / 2
        super().__init__(
            place,
            CREDENTIALS,
            ca_bundle=os.environ.get("AWS_CA_BUNDLE"),
            connect_timeout=half,
            read_timeout=half,
        )
        self._held: list[tuple[str, bytes]] = []
        self.sent: list[str] = []
        """The operations, one for each attempt."""
        self.before: Callable[[str, bytes], None] = lambda _operation, _body: None
        """What happens just before an attempt; it is given the operation and its arguments."""
        self.loses: Callable[[int], bool] = lambda _: False
        """Whether the answer to the n-th write, from 1, is lost."""
        self.holds: Callable[[int], bool] = lambda _: False
        """Whether the n-th write is held back until ``land``; the client gives it up."""
        self.writes = 0

    def send(self, operation: str, body: bytes) -> Answer:
        self.sent.append(operation)
        self.before(operation, body)
        if operation == "GetItem":
            return super().send(operation, body)
        self.writes += 1
        number = self.writes
        if self.holds(number):
            self._held.append((operation, body))
            raise LostError("ReadTimeoutError")
        answer = super().send(operation, body)
        if self.loses(number):
            raise LostError("ReadTimeoutError")
        return answer

    def hold_next(self, count: int = 1) -> None:
        """Hold the next writes back."""
        held = range(self.writes + 1, self.writes + 1 + count)
        self.holds = lambda number: number in held

    def land(self) -> list[int]:
        """Let the table carry out what was held back, and return the statuses."""
        return [super(Wire, self).send(*request).status for request in self.drop()]

    def drop(self) -> list[tuple[str, bytes]]:
        """Return what was held back, and forget it."""
        held, self._held = self._held, []
        return held
