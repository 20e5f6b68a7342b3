"""The wire types: the JSON of requests and responses, in camelCase.

Times are in milliseconds since the epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

import msgspec
from msgspec import Meta

from . import codes, names, tokens
from .names import PlayerName
from .room import RoomStatus

if TYPE_CHECKING:
    from .room import Room

RoomId = Annotated[str, Meta(pattern=codes.PATTERN, examples=["BCDF23"])]
PlayerId = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
PlayerToken = Annotated[str, Meta(pattern=tokens.PATTERN)]
Milliseconds = Annotated[int, Meta(description="Milliseconds since the epoch.")]


class CreateRoom(msgspec.Struct, frozen=True, rename="camel"):
    """The player who opens the room."""

    host_name: PlayerName


class JoinRoom(msgspec.Struct, frozen=True, rename="camel"):
    """The player who wants a seat."""

    player_name: PlayerName


class PlayerView(msgspec.Struct, frozen=True, rename="camel"):
    """A player, as everybody in the room may see them."""

    player_id: PlayerId
    name: Annotated[str, Meta(min_length=1, max_length=names.MAX_LENGTH)]
    joined_at: Milliseconds


class RoomView(msgspec.Struct, frozen=True, rename="camel"):
    """A room, with its players in the order in which they joined; the first is the host."""

    room_id: RoomId
    host_id: PlayerId
    players: list[PlayerView]
    status: RoomStatus
    max_players: int
    created_at: Milliseconds
    expires_at: Milliseconds
    version: int

    @classmethod
    def of(cls, room: Room) -> Self:
        """Return the public part of a room: everything but the digests of the tokens."""
        return cls(
            room_id=room.room_id,
            host_id=room.host_id,
            players=[PlayerView(p.player_id, p.name, p.joined_at) for p in room.players],
            status=room.status,
            max_players=room.max_players,
            created_at=room.created_at,
            expires_at=room.expires_at,
            version=room.version,
        )


class RoomCreated(msgspec.Struct, frozen=True, rename="camel"):
    """A new room, and the credential of its host."""

    room_id: RoomId
    host_id: PlayerId
    player_id: PlayerId
    player_token: PlayerToken
    room: RoomView


class RoomJoined(msgspec.Struct, frozen=True, rename="camel"):
    """A seat, and its credential."""

    player_id: PlayerId
    player_token: PlayerToken
    room: RoomView


class RoomLeft(msgspec.Struct, frozen=True, rename="camel"):
    """The room without the player; null when they were the last."""

    message: str
    room: RoomView | None


class ErrorView(msgspec.Struct, frozen=True, omit_defaults=True):
    """The reason of a refusal."""

    code: str
    message: str
    details: dict[str, str | int] | None = None


class ErrorBody(msgspec.Struct, frozen=True):
    """The body of every refusal."""

    error: ErrorView
