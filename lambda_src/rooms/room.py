"""Rooms and players, as the rules use them."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from . import tokens

RoomStatus = Literal["waiting", "playing", "finished"]

MAX_PLAYERS: Final = 5


class Player(msgspec.Struct, frozen=True, kw_only=True):
    """A player with a seat.

    ``joined_at`` is in milliseconds since the epoch. ``place`` is the room's version at which the
    player joined; together with the room's creation time it names this seat, and no later one of
    the same player.
    """

    player_id: str
    name: str
    joined_at: int
    token_digest: bytes
    place: int


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A room and its players, in the order in which they joined.

    ``created_at``, ``expires_at`` and ``closed_at`` are in milliseconds since the epoch.
    ``version`` grows with every change. ``left`` has the version at which a player left, for those
    who left lately. A closed room has no players and is none to anybody: it only keeps late
    requests from doing harm.
    """

    room_id: str
    status: RoomStatus
    players: tuple[Player, ...]
    max_players: int
    created_at: int
    expires_at: int
    version: int
    left: Mapping[str, int] = {}
    closed_at: int | None = None

    @property
    def host_id(self) -> str:
        """The player who joined first among those present."""
        return self.players[0].player_id

    def is_alive(self, now_ms: int) -> bool:
        """Return whether the room has players and has not expired.

        Expiry counts in whole seconds, as DynamoDB's TTL does.
        """
        return bool(self.players) and self.expires_at // 1000 > now_ms // 1000

    def seat_of(self, token: str) -> Player | None:
        """Return the player with this token."""
        digest = tokens.digest(token)
        return next((player for player in self.players if player.token_digest == digest), None)

    def still_has(self, seat: Player, of: "Room") -> bool:
        """Return whether this very seat of an earlier state is taken, not a later one."""
        return self.created_at == of.created_at and any(
            (player.player_id, player.place) == (seat.player_id, seat.place)
            for player in self.players
        )
