"""The rules of rooms."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Never

import msgspec

from . import codes, tokens
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

LEAVE_ROUNDS: Final = 2
"""Each round is at most two requests: leave, and delete when nobody else is there."""

MAX_REQUESTS: Final = max(CREATE_ATTEMPTS, 2 * LEAVE_ROUNDS)
"""The most requests to DynamoDB that one operation sends, one after the other."""


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has who is in a room: the room, their public id, their token."""

    room: Room
    player_id: str
    token: str


class Rooms:
    """The four operations.

    Each raises ``RoomsError`` with the code that says why it is refused: ``NOT_FOUND`` for a room
    that does not exist, has expired or whose code cannot be one, ``UNAVAILABLE`` when the table
    cannot be asked.

    Args:
        store: where rooms are kept.
        now_ms: the time, in milliseconds since the epoch.
        new_token: makes the token of a player who brought none.

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

        A repeat with the same token finds the room that it opened. ``UNAVAILABLE`` also when every
        code that was tried belongs to another room.
        """
        token = token or self._new_token()
        now_ms = self._now_ms()
        for attempt in range(CREATE_ATTEMPTS):
            room = _new_room(tokens.room_code(token, attempt), host_name, token, now_ms)
            try:
                self._store.create(room, now_s=now_ms // 1000)
            except ConditionFailedError as failure:
                if not (failure.room and failure.room.seat_of(token)):
                    continue
                room = failure.room
            return _seat(room, token)
        raise RoomsError(ErrorCode.UNAVAILABLE)

    def get(self, room_id: str) -> Room:
        """Return a room."""
        return _alive(self._store.get(_code(room_id)), room_id, self._now_ms())

    def join(self, room_id: str, player_name: PlayerName, token: str | None) -> Seat:
        """Take a free seat; a repeat with the same token finds the seat that it took.

        ``ROOM_NOT_JOINABLE`` when the game has begun, ``ROOM_FULL`` when no seat is free.
        """
        code = _code(room_id)
        token = token or self._new_token()
        now_ms = self._now_ms()
        player = _player(code, player_name, token, now_ms)
        now_s = now_ms // 1000
        try:
            room = self._store.join(code, player, now_s=now_s, expires_s=now_s + LIFETIME_S)
        except ConditionFailedError as failure:
            room = _alive(failure.room, room_id, now_ms)
            if not room.seat_of(token):
                _refuse_join(room)
        return _seat(room, token)

    def leave(self, room_id: str, token: str) -> Room | None:
        """Give up a seat, and return the room without it, or None when nobody is left.

        ``FORBIDDEN`` when the token belongs to nobody in the room.
        """
        code = _code(room_id)
        player_id = tokens.player_id(token, code)
        digest = tokens.digest(token)
        now_ms = self._now_ms()
        for _ in range(LEAVE_ROUNDS):
            for leave in (
                lambda: self._store.leave(code, player_id, digest, now_s=now_ms // 1000),
                lambda: self._store.leave_as_last(code, player_id, digest),
            ):
                try:
                    return leave()
                except ConditionFailedError as failure:
                    seated = failure.room and failure.room.seat_of(token)
                    # The SDK's first attempt may have done it, and only its answer was lost.
                    if failure.repeated and not seated:
                        return failure.room
                    _alive(failure.room, room_id, now_ms)
                    if not seated:
                        raise RoomsError(ErrorCode.FORBIDDEN) from failure
        raise RoomsError(ErrorCode.UNAVAILABLE)


def _alive(room: Room | None, room_id: str, now_ms: int) -> Room:
    if room is None or room.is_expired(now_ms):
        _not_found(room_id)
    return room


def _code(room_id: str) -> str:
    return codes.fold(room_id) or _not_found(room_id)


def _not_found(room_id: str) -> Never:
    # As it was typed, for whoever reads it, but never a page of it.
    raise RoomsError(ErrorCode.NOT_FOUND, f"Room not found: {room_id[:20]}")


def _refuse_join(room: Room) -> Never:
    if room.status != "waiting":
        raise RoomsError(ErrorCode.ROOM_NOT_JOINABLE)
    if len(room.players) >= room.max_players:
        raise RoomsError(
            ErrorCode.ROOM_FULL,
            f"{ErrorCode.ROOM_FULL.message}（最大{room.max_players}人）",
            {"currentPlayers": len(room.players), "maxPlayers": room.max_players},
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
