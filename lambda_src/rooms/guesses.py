"""The limit on guesses: how many room codes one client may try in a day.

A try that tells something of a code is counted: an answer that there is no such room, and a create,
whose code tells whether the ones before it were taken. What players do in a room costs nothing.

Each client has one item a day in the rooms table. Its key can be no room's, and names no address.
An environment reads it when it meets a client for the first time in a day, hears the number with
every try that it counts, and then refuses by itself: without a look-up, so that a hit is refused
like a miss. A table that cannot count refuses nobody.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from typing import TYPE_CHECKING, Final

from . import codes
from .dynamodb import WORST_REQUEST_S, RequestError
from .errors import ErrorCode, RoomsError
from .item import UnreadableItemError
from .service import LONGEST_OPERATION_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from .dynamodb import DynamoDb
    from .payload import Reply

LIMIT: Final = 200
"""The tries of one client in a window."""

WINDOW_S: Final = 24 * 60 * 60
"""The length of a window, in seconds; all windows begin at midnight UTC."""

REMEMBERED: Final = 10_000
"""The clients that one environment remembers: some 2 MB."""

LONGEST_REQUEST_S: Final = LONGEST_OPERATION_S + 2 * WORST_REQUEST_S
"""The longest time of a request: an operation, and reading and counting tries around it."""

_logger = logging.getLogger(__name__)


class GuessLimit:
    """The limit, as one environment of the function keeps it.

    Args:
        client: sends its requests.
        table: the rooms table.
        key: makes hashes of addresses that nobody else can; without one, each environment has
            its own, and counts alone.
        now_ms: the time, in milliseconds since the epoch.

    """

    def __init__(
        self,
        client: DynamoDb,
        table: str,
        *,
        key: str = "",
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._client = client
        self._table = table
        self._key = key.encode() or secrets.token_bytes(32)
        self._now_ms = now_ms
        # The tries of each known client, by the key of its item; the one met last is last.
        self._tries: dict[str, int] = {}

    def guard(
        self,
        network: str,
        room_id: str,
        answer: Callable[[], Reply],
        *,
        is_proven: Callable[[Reply], bool] | None,
    ) -> Reply:
        """Answer a request, unless its client has tried too many codes.

        ``room_id`` is as it was typed, "" for a create. ``is_proven`` says whether a reply shows
        that the client knew the room before; None for a request that brings no such proof. Above
        the limit only what is proven is answered: who plays goes on.

        Raises:
            RoomsError: that of ``answer``, or ``TOO_MANY_REQUESTS`` with the seconds to wait.

        """
        if room_id and codes.fold(room_id) is None:
            return answer()
        now_s = self._now_ms() // 1000
        item = self._item_key(network, now_s)
        is_counted = self._knows(item)
        if self._tries.get(item, 0) >= LIMIT:
            return _refuse_unless_proven(answer, is_proven, WINDOW_S - now_s % WINDOW_S)
        try:
            reply = answer()
        except RoomsError as error:
            if error.code is ErrorCode.NOT_FOUND and is_counted:
                self._count(item, now_s)
            raise
        if not room_id and is_counted:
            self._count(item, now_s)
        return reply

    def _item_key(self, network: str, now_s: int) -> str:
        digest = hmac.digest(self._key, network.encode(), "sha256").hex()[:32]
        return f"guesses#{digest}#{now_s // WINDOW_S}"

    def _knows(self, item: str) -> bool:
        """Read the tries of a client that is new here. Return whether they are known then."""
        if item in self._tries:
            return True
        try:
            found = self._client.request(
                "GetItem",
                TableName=self._table,
                Key={"roomId": {"S": item}},
                ProjectionExpression="tries",
            )
        except (RoomsError, RequestError) as error:
            _report(error)
            return False
        self._remember(item, int(found.get("Item", {}).get("tries", {}).get("N", "0")))
        return True

    def _count(self, item: str, now_s: int) -> None:
        try:
            written = self._client.request(
                "UpdateItem",
                TableName=self._table,
                Key={"roomId": {"S": item}},
                UpdateExpression="SET expiresAt = :end ADD tries :one",
                ExpressionAttributeValues={
                    ":one": {"N": "1"},
                    ":end": {"N": str((now_s // WINDOW_S + 1) * WINDOW_S)},
                },
                ReturnValues="UPDATED_NEW",
            )
        except (RoomsError, RequestError) as error:
            _report(error)
            return
        self._remember(item, int(written["Attributes"]["tries"]["N"]))

    def _remember(self, item: str, tries: int) -> None:
        self._tries.pop(item, None)
        self._tries[item] = tries
        if len(self._tries) > REMEMBERED:
            del self._tries[next(iter(self._tries))]


def _report(error: RoomsError | RequestError) -> None:
    cause = error.cause if isinstance(error, RoomsError) else str(error)
    _logger.warning("a try is not counted", extra={"cause": cause})


def _refuse_unless_proven(
    answer: Callable[[], Reply], is_proven: Callable[[Reply], bool] | None, wait_s: int
) -> Reply:
    refused = RoomsError(ErrorCode.TOO_MANY_REQUESTS, retry_after_s=wait_s)
    if is_proven is None:
        raise refused
    try:
        reply = answer()
    except RoomsError as error:
        # Whether the table answers tells nothing of a room; that an item cannot be read does.
        passes = error.code is ErrorCode.UNAVAILABLE and not isinstance(error, UnreadableItemError)
        raise error if passes else refused from None
    if not is_proven(reply):
        raise refused
    return reply
