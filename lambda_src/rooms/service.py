"""The rules of rooms."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from . import codes, tokens
from .dynamodb import WORST_REQUEST_S
from .errors import ErrorCode, RoomsError
from .item import UnreadableItemError
from .room import MAX_PLAYERS, Player, Room
from .store import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .names import PlayerName
    from .store import RoomStore

LIFETIME_S: Final = 24 * 60 * 60
"""How long a room lives after it was created or last joined, in seconds."""

CREATE_ATTEMPTS: Final = 4
"""Room codes that one create tries. With a million live rooms, all four are taken once in 10^10."""

ATTEMPTS: Final = 20
"""Requests of one operation, each naming what the one before found, while others change it."""

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

        A repeat with the same token finds its room, as long as the player is still the host; when
        the room was closed since, it opens the code again. ``UNAVAILABLE`` also when every code
        that was tried belongs to another room.
        """
        own_token = token or self._new_token()
        now_ms = self._now_ms()
        for attempt in range(CREATE_ATTEMPTS):
            room = _new_room(tokens.room_code(own_token, attempt), host_name, own_token, now_ms)
            try:
                opened = self._open(room, now_ms)
            except RoomsError as error:
                if error.uncertain and token is None:
                    # The client never gets this token, so it could not close the room.
                    with suppress(ConditionFailedError, RoomsError):
                        self._require_time(now_ms)
                        self._store.withdraw(room, now_ms=now_ms)
                raise
            if opened:
                return _seat(opened, own_token)
        raise RoomsError(ErrorCode.UNAVAILABLE, cause="every room code tried is taken")

    def _open(self, room: Room, now_ms: int) -> Room | None:
        """Return the new room, or its host's own from before; None if the code is taken."""
        closed = None
        for _ in range(2):
            self._require_time(now_ms)
            try:
                self._store.create(room, now_ms=now_ms, over=closed)
            except UnreadableItemError:
                return None
            except ConditionFailedError as failure:
                found = failure.room
                if found and found.players:
                    return found if found.host_id == room.host_id else None
                if found is None or room.host_id not in found.left:
                    return None
                if (found.closed_at or 0) > now_ms:
                    # Whoever waited for this room has had it, and left.
                    raise RoomsError(ErrorCode.UNAVAILABLE, cause="closed meanwhile") from None
                room, closed = _opened_after(found, room), found
            else:
                return room
        return None

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
        try:
            room = self._sit_down(code, player, own_token, now_ms)
        except RoomsError as error:
            if error.uncertain and token is None:
                # The client never gets this token, so it could not give up the seat.
                with suppress(RoomsError):
                    self._vacate(code, player, own_token, now_ms)
            raise
        return _seat(room, own_token)

    def _sit_down(self, code: str, player: Player, token: str, now_ms: int) -> Room:
        """Return the room with the player in it; each request names what the one before found."""
        left, expires_at = None, _expiry(now_ms)
        for _ in range(ATTEMPTS):
            self._require_time(now_ms)
            try:
                return self._store.join(
                    code, player, now_ms=now_ms, expires_at=expires_at, left=left
                )
            except ConditionFailedError as failure:
                found = _alive(failure.room, now_ms)
                if found and found.seat_of(token):
                    return found
                try:
                    room = _joinable(found, code)
                except RoomsError:
                    if failure.repeated and not self._bar(found, player, now_ms):
                        continue
                    raise
                left = room.left.get(player.player_id)
                # Clocks differ, and a room must not expire earlier because somebody joins.
                expires_at = max(expires_at, room.expires_at)
        raise _overtaken()

    def _bar(self, room: Room | None, player: Player, now_ms: int) -> bool:
        """Keep the first attempt at a refused join from being carried out; False if it just was.

        ``UNAVAILABLE`` where there is no room to bar it from: another one may be opened there.
        """
        if room is None:
            cause = "a join may still be carried out"
            raise RoomsError(ErrorCode.UNAVAILABLE, cause=cause, uncertain=True)
        try:
            self._require_time(now_ms)
            self._store.bar(room, player)
        except ConditionFailedError:
            return False
        except RoomsError as error:
            error.uncertain = True
            raise
        return True

    def _vacate(self, code: str, player: Player, token: str, now_ms: int) -> None:
        """Give up a seat of which nobody knows, whether it is taken or will be."""
        for _ in range(ATTEMPTS):
            self._require_time(now_ms)
            try:
                self._store.vacate(code, player)
            except ConditionFailedError as failure:
                room = _alive(failure.room, now_ms)
                seat = room and room.seat_of(token)
                if not room or not seat:
                    return
                self._require_time(now_ms)
                with suppress(ConditionFailedError):
                    self._store.leave(room, seat, now_ms=now_ms)
                    return
            else:
                return

    def leave(self, room_id: str, token: str) -> Room | None:
        """Give up a seat, and return the room without it, or None when nobody is left.

        ``FORBIDDEN`` when the token belongs to nobody in the room.
        """
        code = _code(room_id)
        now_ms = self._now_ms()
        found = _existing(_alive(self._store.get(code), now_ms), code)
        seat = found.seat_of(token)
        if seat is None:
            raise RoomsError(ErrorCode.FORBIDDEN)
        room = found
        for _ in range(ATTEMPTS):
            self._require_time(now_ms)
            try:
                return _alive(self._store.leave(room, seat, now_ms=now_ms), now_ms)
            except ConditionFailedError as failure:
                now = _alive(failure.room, now_ms)
                if now is None or not now.still_has(seat, of=found):
                    # A room that was opened there since is another one: this one has ended.
                    left = now if now and now.created_at == found.created_at else None
                    # An earlier attempt may have done it, and only its answer was lost.
                    if failure.repeated:
                        return left
                    _existing(left, code)
                    raise RoomsError(ErrorCode.FORBIDDEN) from None
                room = now
        raise _overtaken()

    def _require_time(self, started_ms: int) -> None:
        if self._now_ms() - started_ms > PATIENCE_S * 1000:
            raise RoomsError(ErrorCode.UNAVAILABLE, cause="too many requests for one operation")


def _overtaken() -> RoomsError:
    return RoomsError(ErrorCode.UNAVAILABLE, cause="overtaken at every attempt")


def _alive(room: Room | None, now_ms: int) -> Room | None:
    return room if room and room.is_alive(now_ms) else None


def _existing(room: Room | None, code: str) -> Room:
    if room is None:
        raise RoomsError(ErrorCode.NOT_FOUND, f"Room not found: {code}")
    return room


def _code(room_id: str) -> str:
    code = codes.fold(room_id)
    if code is None:
        raise RoomsError(ErrorCode.NOT_FOUND, "Room not found")
    return code


def _joinable(room: Room | None, code: str) -> Room:
    room = _existing(room, code)
    if room.status != "waiting":
        raise RoomsError(ErrorCode.ROOM_NOT_JOINABLE)
    if len(room.players) >= room.max_players:
        raise RoomsError(
            ErrorCode.ROOM_FULL,
            f"{ErrorCode.ROOM_FULL.message}（最大{room.max_players}人）",
            details={"currentPlayers": len(room.players), "maxPlayers": room.max_players},
        )
    return room


def _expiry(now_ms: int) -> int:
    return (now_ms // 1000 + LIFETIME_S) * 1000


def _new_room(code: str, host_name: PlayerName, token: str, now_ms: int) -> Room:
    return Room(
        room_id=code,
        status="waiting",
        players=(_player(code, host_name, token, now_ms),),
        max_players=MAX_PLAYERS,
        created_at=now_ms,
        expires_at=_expiry(now_ms),
        version=1,
    )


def _opened_after(closed: Room, room: Room) -> Room:
    """Return the new room as the next state of a closed one, whose versions are not used again."""
    (host,) = room.players
    return msgspec.structs.replace(
        room,
        players=(msgspec.structs.replace(host, place=closed.version),),
        version=closed.version + 1,
        left={player: at for player, at in closed.left.items() if player != host.player_id},
    )


def _player(code: str, name: PlayerName, token: str, now_ms: int) -> Player:
    return Player(
        player_id=tokens.player_id(token, code),
        name=str(name),
        joined_at=now_ms,
        token_digest=tokens.digest(token),
        place=0,
    )


def _seat(room: Room, token: str) -> Seat:
    return Seat(room=room, player_id=tokens.player_id(token, room.room_id), token=token)
