"""Rooms in DynamoDB: one room is one item, and every change is one conditional request.

A request that was given up may still be carried out, seconds later. So a condition names what the
request is about, and fails for whatever came after it: a leave names the seat, a join the player's
last leave, a create the closed room whose code it takes.

Expressions: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from .dynamodb import ConditionalCheckFailedError, RequestError
from .errors import RoomsError
from .item import FORMAT, LEFT_PREFIX, from_room, key, number, player_attribute, to_room
from .room import MAX_PLAYERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .answer import AttributeValue, Content
    from .dynamodb import DynamoDb
    from .room import Player, Room

CLOSED_HOLD_MS: Final = 15 * 60 * 1000
"""How long the code of a closed room is kept from late creates, in milliseconds.

AWS refuses what was signed more than five minutes ago, so no request is later than that; the rest
is for clocks that differ: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html"""

CLOCKS_DIFFER_MS: Final = 10 * 60 * 1000
"""How long ago a room has expired when it is closed, in milliseconds.

An earlier version of the function takes a closed room for a living one until it expires, by its own
clock, and finds nobody in it."""

MAX_LEFT: Final = 16
"""How many players' last leaves an item has at most, so that it stays small."""

_FREE: Final = (
    "(attribute_not_exists(roomId) OR (expiresAt <= :now"
    " AND (attribute_not_exists(closedAt) OR closedAt <= :released)))"
)
_READABLE: Final = (
    "attribute_type(createdAt, :number) AND attribute_type(version, :number)"
    " AND attribute_type(players, :map) AND attribute_type(seq, :map)"
    " AND (attribute_not_exists(#format) OR #format <= :format)"
)
"""An item that this version of the function understands, and so may change."""


class ConditionFailedError(Exception):
    """The condition of a write did not hold.

    Args:
        room: the room at that time, expired, closed or not; None if there is none.
        repeated: whether an earlier attempt at the same request may have been carried out, so that
            the condition may have failed because of its success.

    """

    def __init__(self, room: Room | None, *, repeated: bool) -> None:
        super().__init__(room.room_id if room else None)
        self.room = room
        self.repeated = repeated


class RoomStore:
    """The rooms table.

    Times are in milliseconds since the epoch. Every method raises ``RoomsError`` (``UNAVAILABLE``)
    when DynamoDB throttles or is out of reach or the item cannot be read, and every write raises
    ``ConditionFailedError`` when it changed nothing.

    Args:
        client: sends its requests.
        table: the table's name.

    """

    def __init__(self, client: DynamoDb, table: str) -> None:
        self._client = client
        self._table = table

    def connect(self) -> None:
        """Open the connection of the first request, by reading an item that no table has.

        A table that does not answer is no reason not to start: it may answer later.
        """
        with suppress(RoomsError, RequestError):
            self._client.request("GetItem", TableName=self._table, Key=key("-"))

    def create(self, room: Room, *, now_ms: int, over: Room | None = None) -> None:
        """Write a new room whose code is free, or belongs to this very closed room."""
        if over is None:
            condition, values = _FREE, _free_at(now_ms)
        else:
            condition = "attribute_exists(closedAt) AND createdAt = :created AND version = :version"
            values = {":created": number(over.created_at), ":version": number(over.version)}
        self._write(
            "PutItem",
            Item=from_room(room),
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
        )

    def withdraw(self, room: Room, *, now_ms: int) -> None:
        """Close a new room of which nobody knows, whether it is there already or will be later."""
        (host,) = room.players
        closed = msgspec.structs.replace(
            room,
            status="finished",
            version=room.version + 1,
            players=(),
            left={**room.left, host.player_id: room.version},
            closed_at=now_ms,
            expires_at=now_ms - CLOCKS_DIFFER_MS,
        )
        self._write(
            "PutItem",
            Item=from_room(closed),
            ConditionExpression=(
                f"{_FREE} OR (players.#p.digest = :digest AND size(players) = :one)"
            ),
            ExpressionAttributeNames={"#p": host.player_id},
            ExpressionAttributeValues={
                **_free_at(now_ms),
                ":digest": {"B": host.token_digest},
                ":one": number(1),
            },
        )

    def get(self, room_id: str) -> Room | None:
        """Return the room, expired, closed or not.

        Strongly consistent: a polling client never sees an earlier version again.
        """
        answer = self._client.request(
            "GetItem", TableName=self._table, Key=key(room_id), ConsistentRead=True
        )
        return to_room(answer["Item"]) if "Item" in answer else None

    def join(
        self, room_id: str, player: Player, *, now_ms: int, expires_at: int, left: int | None
    ) -> Room:
        """Add a player to a room that is waiting, has a free seat and does not have this player.

        Args:
            room_id: the room.
            player: the player; their place is given by the room.
            now_ms: the time.
            expires_at: the room's new expiry; not before the one that it has.
            left: the version at which this player left the room before; None if they did not.

        """
        last_leave = "attribute_not_exists(#left)" if left is None else "#left = :left"
        return self._update(
            room_id,
            set_=(
                "players.#p = :player",
                "seq.#p = version",
                "version = version + :one",
                "expiresAt = :expires",
            ),
            remove=("#left",),
            condition=(
                "expiresAt > :now AND expiresAt <= :expires"
                " AND (#status = :waiting OR attribute_not_exists(#status))"
                " AND size(players) > :none AND (size(players) < maxPlayers"
                " OR (attribute_not_exists(maxPlayers) AND size(players) < :max))"
                f" AND attribute_not_exists(players.#p) AND {last_leave}"
            ),
            names={"#p": player.player_id, "#left": _left(player), "#status": "status"},
            values={
                ":player": player_attribute(player),
                ":one": number(1),
                ":none": number(0),
                ":max": number(MAX_PLAYERS),
                ":expires": number(expires_at // 1000),
                ":now": number(now_ms // 1000),
                ":waiting": {"S": "waiting"},
                **({} if left is None else {":left": number(left)}),
            },
        )

    def leave(self, room: Room, seat: Player, *, now_ms: int) -> Room:
        """Empty this very seat of a room; with its last player the room is closed.

        A closed room has expired, since earlier versions of the function know of no others.
        DynamoDB deletes it as an expired one.
        """
        closes = len(room.players) == 1
        closing = ("#status = :finished", "expiresAt = :expired", "closedAt = :now_ms")
        return self._update(
            room.room_id,
            set_=("version = version + :one", "#left = version", *(closing if closes else ())),
            remove=("players.#p", "seq.#p"),
            forget=_oldest_leaves(room, seat),
            condition=(
                "expiresAt > :now AND createdAt = :created AND seq.#p = :place"
                f" AND players.#p.digest = :digest AND size(players) {'=' if closes else '>'} :one"
            ),
            names={
                "#p": seat.player_id,
                "#left": _left(seat),
                **({"#status": "status"} if closes else {}),
            },
            values={
                ":created": number(room.created_at),
                ":place": number(seat.place),
                ":digest": {"B": seat.token_digest},
                ":one": number(1),
                ":now": number(now_ms // 1000),
                **(_closed_at(now_ms) if closes else {}),
            },
        )

    def bar(self, room: Room, player: Player) -> None:
        """Keep a join that was given up from being carried out later; it was not yet."""
        self._update(
            room.room_id,
            set_=("#left = version",),
            forget=_oldest_leaves(room, player),
            condition="attribute_not_exists(players.#p)",
            names={"#p": player.player_id, "#left": _left(player)},
            values={},
        )

    def vacate(self, room_id: str, player: Player) -> None:
        """Undo a join that was given up, or keep it from being carried out later.

        Not for the only player of a room, and only for a player who never comes again: it names no
        seat.
        """
        self._update(
            room_id,
            set_=("version = version + :one", "#left = version"),
            remove=("players.#p", "seq.#p"),
            condition="(attribute_not_exists(players.#p) OR size(players) > :one)",
            names={"#p": player.player_id, "#left": _left(player)},
            values={":one": number(1)},
        )

    def _update(
        self,
        room_id: str,
        *,
        set_: Sequence[str],
        remove: Sequence[str] = (),
        forget: Sequence[str] = (),
        condition: str,
        names: Mapping[str, str],
        values: Mapping[str, AttributeValue],
    ) -> Room:
        forgotten = {f"#forget{place}": name for place, name in enumerate(forget)}
        removed = ", ".join((*remove, *forgotten))
        return to_room(
            self._write(
                "UpdateItem",
                Key=key(room_id),
                UpdateExpression=f"SET {', '.join(set_)}"
                + (f" REMOVE {removed}" if removed else ""),
                ConditionExpression=f"{_READABLE} AND {condition}",
                ExpressionAttributeNames={"#format": "format", **names, **forgotten},
                ExpressionAttributeValues={
                    ":number": {"S": "N"},
                    ":map": {"S": "M"},
                    ":format": number(FORMAT),
                    **values,
                },
                ReturnValues="ALL_NEW",
            )["Attributes"]
        )

    def _write(self, operation: str, **arguments: object) -> Content:
        try:
            return self._client.request(
                operation,
                TableName=self._table,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **arguments,
            )
        except ConditionalCheckFailedError as error:
            room = to_room(error.item) if error.item else None
            raise ConditionFailedError(room, repeated=error.repeated) from None


def _free_at(now_ms: int) -> dict[str, AttributeValue]:
    return {":now": number(now_ms // 1000), ":released": number(now_ms - CLOSED_HOLD_MS)}


def _closed_at(now_ms: int) -> dict[str, AttributeValue]:
    return {
        ":finished": {"S": "finished"},
        ":expired": number((now_ms - CLOCKS_DIFFER_MS) // 1000),
        ":now_ms": number(now_ms),
    }


def _left(player: Player) -> str:
    return LEFT_PREFIX + player.player_id


def _oldest_leaves(room: Room, but: Player) -> list[str]:
    """Return the attributes that go, so that one more player's leave may be remembered."""
    others = [player_id for player_id in room.left if player_id != but.player_id]
    by_version = sorted(others, key=lambda player_id: room.left[player_id])
    return [LEFT_PREFIX + player_id for player_id in by_version[: -(MAX_LEFT - 1)]]
