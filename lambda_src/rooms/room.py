"""Rooms and players, as the rules use them."""

from typing import Literal

import msgspec

from . import tokens

RoomStatus = Literal["waiting", "playing", "finished"]


class Player(msgspec.Struct, frozen=True, kw_only=True):
    """A player with a seat. ``joined_at`` is in milliseconds since the epoch."""

    player_id: str
    name: str
    joined_at: int
    token_digest: bytes


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A room and its players, in the order in which they joined; there is always at least one.

    ``created_at`` and ``expires_at`` are in milliseconds since the epoch. ``version`` grows with
    every change.
    """

    room_id: str
    status: RoomStatus
    players: tuple[Player, ...]
    max_players: int
    created_at: int
    expires_at: int
    version: int

    @property
    def host_id(self) -> str:
        """The player who joined first among those present."""
        return self.players[0].player_id

    def is_expired(self, now_ms: int) -> bool:
        """Return whether the room has expired, in whole seconds as DynamoDB's TTL counts."""
        return self.expires_at // 1000 <= now_ms // 1000

    def seat_of(self, token: str) -> Player | None:
        """Return the player with this token."""
        digest = tokens.digest(token)
        return next((player for player in self.players if player.token_digest == digest), None)
