"""What lies between the function's client and the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient


class Wire:
    """Loses answers, and holds requests back; of writes alone, since a lost read is only repeated.

    The real client, the real retries and the real table: nothing is made up, only late or lost.

    Args:
        client: a client of botocore's.

    """

    def __init__(self, client: DynamoDBClient) -> None:
        self._held: list[Any] = []
        self.loses: Callable[[int], bool] = lambda _: False
        """Whether the answer to the n-th write, from 1, is lost."""
        self.holds: Callable[[int], bool] = lambda _: False
        """Whether the n-th write is held back until ``land``; the client gives it up."""
        self.writes = 0
        # Before the function's own handler of this event, which sends the request.
        client.meta.events.register_first("before-send.dynamodb", self._hold)
        client.meta.events.register("before-parse.dynamodb", self._lose)

    def _hold(self, request: Any, **_: object) -> None:
        if request.headers["X-Amz-Target"].endswith(b".GetItem"):
            return
        self.writes += 1
        if self.holds(self.writes):
            self._held.append(request)
            raise ReadTimeoutError(endpoint_url=request.url)

    def _lose(self, operation_model: Any, **_: object) -> None:
        if operation_model.name != "GetItem" and self.loses(self.writes):
            raise ReadTimeoutError(endpoint_url="")

    def hold_next(self, count: int = 1) -> None:
        """Hold the next writes back."""
        held = range(self.writes + 1, self.writes + 1 + count)
        self.holds = lambda number: number in held

    def land(self) -> list[int]:
        """Let the table carry out what was held back, and return the statuses."""
        return [URLLib3Session().send(request).status_code for request in self.drop()]

    def drop(self) -> list[Any]:
        """Return what was held back, and forget it."""
        held, self._held = self._held, []
        return held
