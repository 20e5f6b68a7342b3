"""The rules of rooms."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Never

import msgspec

from . import codes, tokens
from .dynamodb import WORST_REQUEST_S
from .errors import ErrorCode, RoomsError
from .room import Player, Room
from .store import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .names import PlayerName
    from .store import RoomStore

MAX_PLAYERS: Final = 5
LIFETIME_S: Final = 24 * 60 * 60
"""How long a room lives after it was created or last joined, in seconds."""

CREATE_ATTEMPTS: Final = 4
"""Room codes that one create tries. With a million live rooms, all four are taken once in 10^10."""

LEAVE_ATTEMPTS: Final = 20
"""Leave and delete alternate: a join or leave between two attempts makes the other one right."""

PATIENCE_S: Final = 8
"""After this time, in seconds, an operation sends no further request to DynamoDB."""

LONGEST_OPERATION_S: Final = PATIENCE_S + WORST_REQUEST_S
"""The longest time of an operation: its last request began within ``PATIENCE_S``."""


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """A seat in a room: the room, the player's public id and token."""

    room: Room
    player_id: str
    token: str


class Rooms:
    """The four operations.

    Each raises ``RoomsError``: ``NOT_FOUND`` for a room that does not exist, has expired or has an
    invalid code, ``UNAVAILABLE`` when the table does not answer, and the codes named below.

    Args:
        store: where rooms are kept.
        now_ms: the time, in milliseconds since the epoch.
        new_token: makes the token of a player who sends none.

    """

    def __init__(
        self,
        store: RoomStore,
        *,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        new_token: Callable[[], str] = tokens.new,
    ) -> None:
        self._store = store
        self._now_ms = now_ms
        self._new_token = new_token

    def create(self, host_name: PlayerName, token: str | None) -> Seat:
        """Open a room with its host in the first seat.

        A repeat with the same token finds its room, as long as the player is still the host.
        ``UNAVAILABLE`` also when every code that was tried belongs to another room.
        """
        token = token or self._new_token()
        now_ms = self._now_ms()
        for attempt in range(CREATE_ATTEMPTS):
            self._require_time(now_ms)
            room = _new_room(tokens.room_code(token, attempt), host_name, token, now_ms)
            try:
                self._store.create(room, now_s=now_ms // 1000)
            except ConditionFailedError as failure:
                if failure.room and failure.room.host_id == room.host_id:
                    return _seat(failure.room, token)
            else:
                return _seat(room, token)
        raise RoomsError(ErrorCode.UNAVAILABLE, cause="every room code tried is taken")

    def get(self, room_id: str) -> Room:
        """Return a room."""
        code = _code(room_id)
        return _existing(_alive(self._store.get(code), self._now_ms()), code)

    def join(self, room_id: str, player_name: PlayerName, token: str | None) -> Seat:
        """Take a free seat; a repeat with the same token finds its seat.

        ``ROOM_NOT_JOINABLE`` when the game has begun, ``ROOM_FULL`` when no seat is free.
        """
        code = _code(room_id)
        own_token = token or self._new_token()
        now_ms = self._now_ms()
        player = _player(code, player_name, own_token, now_ms)
        now_s = now_ms // 1000
        try:
            room = self._store.join(code, player, now_s=now_s, expires_s=now_s + LIFETIME_S)
        except ConditionFailedError as failure:
            room = _existing(_alive(failure.room, now_ms), code)
            if not room.seat_of(own_token):
                _refuse_join(room)
        except RoomsError as error:
            if error.uncertain and token is None:
                # The client never gets this token, so it could not give up the seat.
                with suppress(ConditionFailedError, RoomsError):
                    self._store.leave(code, player.player_id, player.token_digest, now_s=now_s)
            raise
        return _seat(room, own_token)

    def leave(self, room_id: str, token: str) -> Room | None:
        """Give up a seat, and return the room without it, or None when nobody is left.

        ``FORBIDDEN`` when the token belongs to nobody in the room.
        """
        code = _code(room_id)
        player_id = tokens.player_id(token, code)
        digest = tokens.digest(token)
        now_ms = self._now_ms()
        for attempt in range(LEAVE_ATTEMPTS):
            self._require_time(now_ms)
            try:
                if attempt % 2:
                    self._store.leave_as_last(code, player_id, digest)
                    return None
                return self._store.leave(code, player_id, digest, now_s=now_ms // 1000)
            except ConditionFailedError as failure:
                room = _alive(failure.room, now_ms)
                seated = room and room.seat_of(token)
                # An earlier attempt may have done it, and only its answer was lost.
                if failure.repeated and not seated:
                    return room
                if not seated:
                    _existing(room, code)
                    raise RoomsError(ErrorCode.FORBIDDEN) from None
        raise RoomsError(ErrorCode.UNAVAILABLE, cause="overtaken at every attempt to leave")

    def _require_time(self, started_ms: int) -> None:
        if self._now_ms() - started_ms > PATIENCE_S * 1000:
            raise RoomsError(ErrorCode.UNAVAILABLE, cause="too many requests for one operation")


def _alive(room: Room | None, now_ms: int) -> Room | None:
    return None if room is None or room.is_expired(now_ms) else room


def _existing(room: Room | None, code: str) -> Room:
    if room is None:
        raise RoomsError(ErrorCode.NOT_FOUND, f"Room not found: {code}")
    return room


def _code(room_id: str) -> str:
    code = codes.fold(room_id)
    if code is None:
        raise RoomsError(ErrorCode.NOT_FOUND, "Room not found")
    return code


def _refuse_join(room: Room) -> Never:
    if room.status != "waiting":
        raise RoomsError(ErrorCode.ROOM_NOT_JOINABLE)
    if len(room.players) >= room.max_players:
        raise RoomsError(
            ErrorCode.ROOM_FULL,
            f"{ErrorCode.ROOM_FULL.message}（最大{room.max_players}人）",
            details={"currentPlayers": len(room.players), "maxPlayers": room.max_players},
        )
    raise AssertionError("DynamoDB refused a join that nothing forbids")


def _new_room(code: str, host_name: PlayerName, token: str, now_ms: int) -> Room:
    return Room(
        room_id=code,
        status="waiting",
        players=(_player(code, host_name, token, now_ms),),
        max_players=MAX_PLAYERS,
        created_at=now_ms,
        expires_at=(now_ms // 1000 + LIFETIME_S) * 1000,
        version=1,
    )


def _player(code: str, name: PlayerName, token: str, now_ms: int) -> Player:
    return Player(
        player_id=tokens.player_id(token, code),
        name=str(name),
        joined_at=now_ms,
        token_digest=tokens.digest(token),
    )


def _seat(room: Room, token: str) -> Seat:
    return Seat(room=room, player_id=tokens.player_id(token, room.room_id), token=token)
