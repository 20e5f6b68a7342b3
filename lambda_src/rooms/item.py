"""The item of a room: how a room is stored in DynamoDB, and how items of other versions are read.

``roomId`` (S, the partition key), ``format`` (N), ``status`` (S), ``version`` (N), ``maxPlayers``
(N), ``createdAt`` (N, milliseconds), ``expiresAt`` (N, seconds: the TTL attribute), ``players``
(M, player id -> ``name``, ``joinedAt``, ``digest``), ``seq`` (M, player id -> N, the version at
which the player joined), ``left:<player id>`` (N, the version at which a player left) and, in a
closed room, ``closedAt`` (N, milliseconds).

Maps, because one entry is added or removed without reading the others. ``seq`` orders the players
by what DynamoDB saw, not by clocks, and stands beside ``players`` because one expression cannot set
a path and its child. ``left:…`` are attributes of the item, because an entry needs a map that is
there already, and items of earlier versions have none.

Two versions of the function use the table at the same time, during a deployment and after a
rollback. So attributes may be added, and each version ignores those that it does not know; what an
earlier version would misunderstand needs a higher ``FORMAT``, which it refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

from .errors import ErrorCode, RoomsError
from .room import MAX_PLAYERS, Player, Room, RoomStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .answer import AttributeValue

FORMAT: Final = 1
"""The newest format that this version reads. Items without one are of the first."""

LEFT_PREFIX: Final = "left:"

_STATUSES: Final = frozenset(get_args(RoomStatus))


class UnreadableItemError(RoomsError):
    """``UNAVAILABLE``: an item is of a newer format, or lacks what every room has.

    Another version of the function may be able to read it, so the client should try again.
    """

    def __init__(self, why: str) -> None:
        super().__init__(ErrorCode.UNAVAILABLE, cause=f"unreadable item: {why}")


def number(value: int) -> AttributeValue:
    """Return an attribute value of type N."""
    return {"N": str(value)}


def key(room_id: str) -> dict[str, AttributeValue]:
    """Return the primary key of a room's item."""
    return {"roomId": {"S": room_id}}


def player_attribute(player: Player) -> AttributeValue:
    """Return a player's entry in ``players``."""
    return {
        "M": {
            "name": {"S": player.name},
            "joinedAt": number(player.joined_at),
            "digest": {"B": player.token_digest},
        }
    }


def from_room(room: Room) -> dict[str, AttributeValue]:
    """Return the item of a room."""
    return {
        **key(room.room_id),
        "format": number(FORMAT),
        "status": {"S": room.status},
        "version": number(room.version),
        "maxPlayers": number(room.max_players),
        "createdAt": number(room.created_at),
        "expiresAt": number(room.expires_at // 1000),
        "players": {"M": {player.player_id: player_attribute(player) for player in room.players}},
        "seq": {"M": {player.player_id: number(player.place) for player in room.players}},
        **{LEFT_PREFIX + player_id: number(version) for player_id, version in room.left.items()},
        **({"closedAt": number(room.closed_at)} if room.closed_at is not None else {}),
    }


def to_room(item: Mapping[str, Any]) -> Room:
    """Return the room of an item, whichever version wrote it.

    A limit or a status that is missing is the one of a new room. A status that this version does
    not know is ``playing``: nobody can join, and the players see each other.

    Raises:
        UnreadableItemError: the item cannot be understood.

    """
    try:
        stored_format = int(item["format"]["N"]) if "format" in item else 1
        if stored_format > FORMAT:
            raise UnreadableItemError(f"format {stored_format}")
        return _room(item)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # Not its text, which may quote the item.
        raise UnreadableItemError(type(error).__name__) from None


def _room(item: Mapping[str, Any]) -> Room:
    seq = item["seq"]["M"]
    players = [
        Player(
            player_id=player_id,
            name=player["M"]["name"]["S"],
            joined_at=int(player["M"]["joinedAt"]["N"]),
            token_digest=bytes(player["M"]["digest"]["B"]),
            place=int(seq[player_id]["N"]),
        )
        for player_id, player in item["players"]["M"].items()
    ]
    return Room(
        room_id=item["roomId"]["S"],
        status=_status(item),
        version=int(item["version"]["N"]),
        max_players=int(item["maxPlayers"]["N"]) if "maxPlayers" in item else MAX_PLAYERS,
        created_at=int(item["createdAt"]["N"]),
        expires_at=int(item["expiresAt"]["N"]) * 1000,
        players=tuple(sorted(players, key=lambda player: player.place)),
        left={
            name.removeprefix(LEFT_PREFIX): int(value["N"])
            for name, value in item.items()
            if name.startswith(LEFT_PREFIX)
        },
        closed_at=int(item["closedAt"]["N"]) if "closedAt" in item else None,
    )


def _status(item: Mapping[str, Any]) -> RoomStatus:
    if "status" not in item:
        return "waiting"
    status: RoomStatus = item["status"]["S"]
    return status if status in _STATUSES else "playing"
