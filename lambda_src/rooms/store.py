"""Rooms in DynamoDB: one room is one item, and every operation is one conditional request.

The item: ``roomId`` (S, the partition key), ``status`` (S), ``version`` (N), ``maxPlayers`` (N),
``createdAt`` (N, milliseconds), ``expiresAt`` (N, seconds: the TTL attribute), ``players``
(M, player id -> ``name``, ``joinedAt``, ``digest``) and ``seq`` (M, player id -> N, the version at
which the player joined). Maps, because one entry is added or removed without reading the others.
``seq`` orders the players by what DynamoDB saw, not by clocks, and stands beside ``players``
because one expression cannot set a path and its child.

Expressions: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .dynamodb import ConditionalCheckFailedError, refuse_damaged_answers, send
from .room import Player, Room

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


class ConditionFailedError(Exception):
    """The condition of a write did not hold.

    Args:
        room: the room at that time, expired or not; None if there is none.
        repeated: whether an earlier attempt at the same request may have been carried out, so that
            the condition may have failed because of its success.

    """

    def __init__(self, room: Room | None, *, repeated: bool) -> None:
        super().__init__(room.room_id if room else None)
        self.room = room
        self.repeated = repeated


class RoomStore:
    """The rooms table.

    Every method raises ``RoomsError`` (``UNAVAILABLE``) when DynamoDB throttles or is out of
    reach, and every write raises ``ConditionFailedError`` when it changed nothing.

    Args:
        client: a low-level client made with ``dynamodb.CLIENT_CONFIG``.
        table: the table's name.

    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        refuse_damaged_answers(client)
        self._client = client
        self._table = table

    def create(self, room: Room, *, now_s: int) -> None:
        """Write a new room, unless its code belongs to a room that has not expired."""
        _write(
            self._client.put_item,
            TableName=self._table,
            Item=_to_item(room),
            ConditionExpression="attribute_not_exists(roomId) OR expiresAt <= :now",
            ExpressionAttributeValues={":now": _number(now_s)},
        )

    def get(self, room_id: str) -> Room | None:
        """Return the room, expired or not.

        Strongly consistent: a polling client never sees an earlier version again.
        """
        answer = send(
            self._client.get_item,
            TableName=self._table,
            Key=_key(room_id),
            ConsistentRead=True,
        )
        return _from_item(answer["Item"]) if "Item" in answer else None

    def join(self, room_id: str, player: Player, *, now_s: int, expires_s: int) -> Room:
        """Add a player to a room that is waiting, has a free seat and does not have this player."""
        answer = _write(
            self._client.update_item,
            TableName=self._table,
            Key=_key(room_id),
            UpdateExpression=(
                "SET players.#p = :player, seq.#p = version, version = version + :one,"
                " expiresAt = :expires"
            ),
            ConditionExpression=(
                "expiresAt > :now AND #status = :waiting AND size(players) < maxPlayers"
                " AND attribute_not_exists(players.#p)"
            ),
            ExpressionAttributeNames={"#p": player.player_id, "#status": "status"},
            ExpressionAttributeValues={
                ":player": _to_attribute(player),
                ":one": _number(1),
                ":expires": _number(expires_s),
                ":now": _number(now_s),
                ":waiting": {"S": "waiting"},
            },
            ReturnValues="ALL_NEW",
        )
        return _from_item(answer["Attributes"])

    def leave(self, room_id: str, player_id: str, token_digest: bytes, *, now_s: int) -> Room:
        """Remove a player from a room in which others stay."""
        answer = _write(
            self._client.update_item,
            TableName=self._table,
            Key=_key(room_id),
            UpdateExpression="REMOVE players.#p, seq.#p SET version = version + :one",
            ConditionExpression=(
                "expiresAt > :now AND players.#p.digest = :digest AND size(players) > :one"
            ),
            ExpressionAttributeNames={"#p": player_id},
            ExpressionAttributeValues={
                ":digest": {"B": token_digest},
                ":one": _number(1),
                ":now": _number(now_s),
            },
            ReturnValues="ALL_NEW",
        )
        return _from_item(answer["Attributes"])

    def leave_as_last(self, room_id: str, player_id: str, token_digest: bytes) -> None:
        """Delete a room together with its only player."""
        _write(
            self._client.delete_item,
            TableName=self._table,
            Key=_key(room_id),
            ConditionExpression="players.#p.digest = :digest AND size(players) = :one",
            ExpressionAttributeNames={"#p": player_id},
            ExpressionAttributeValues={":digest": {"B": token_digest}, ":one": _number(1)},
        )


def _write(operation: Callable[..., Any], **arguments: object) -> Any:
    try:
        return send(operation, ReturnValuesOnConditionCheckFailure="ALL_OLD", **arguments)
    except ConditionalCheckFailedError as error:
        room = _from_item(error.item) if error.item else None
        raise ConditionFailedError(room, repeated=error.repeated) from None


def _key(room_id: str) -> dict[str, AttributeValueTypeDef]:
    return {"roomId": {"S": room_id}}


def _number(value: int) -> AttributeValueTypeDef:
    return {"N": str(value)}


def _to_attribute(player: Player) -> AttributeValueTypeDef:
    return {
        "M": {
            "name": {"S": player.name},
            "joinedAt": _number(player.joined_at),
            "digest": {"B": player.token_digest},
        }
    }


def _to_item(room: Room) -> dict[str, AttributeValueTypeDef]:
    return {
        **_key(room.room_id),
        "status": {"S": room.status},
        "version": _number(room.version),
        "maxPlayers": _number(room.max_players),
        "createdAt": _number(room.created_at),
        "expiresAt": _number(room.expires_at // 1000),
        "players": {"M": {player.player_id: _to_attribute(player) for player in room.players}},
        "seq": {
            "M": {player.player_id: _number(place) for place, player in enumerate(room.players)}
        },
    }


def _from_item(item: Mapping[str, Any]) -> Room:
    seq = item["seq"]["M"]
    players = sorted(item["players"]["M"].items(), key=lambda entry: int(seq[entry[0]]["N"]))
    return Room(
        room_id=item["roomId"]["S"],
        status=item["status"]["S"],
        version=int(item["version"]["N"]),
        max_players=int(item["maxPlayers"]["N"]),
        created_at=int(item["createdAt"]["N"]),
        expires_at=int(item["expiresAt"]["N"]) * 1000,
        players=tuple(
            Player(
                player_id=player_id,
                name=player["M"]["name"]["S"],
                joined_at=int(player["M"]["joinedAt"]["N"]),
                token_digest=bytes(player["M"]["digest"]["B"]),
            )
            for player_id, player in players
        ),
    )
