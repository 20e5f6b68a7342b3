"""One handler per route: it calls the service and returns wire types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .payload import Reply
from .wire import RoomCreated, RoomJoined, RoomLeft, RoomView

if TYPE_CHECKING:
    from .payload import Request
    from .room import Room
    from .service import Rooms
    from .wire import CreateRoom, JoinRoom

# For responses that hold a token or the result of a write.
_NO_STORE: Final = {"cache-control": "no-store"}


def create_room(rooms: Rooms, request: Request[CreateRoom]) -> Reply:
    """Answer ``POST /rooms``."""
    seat = rooms.create(request.body.host_name, request.token)
    body = RoomCreated(
        room_id=seat.room.room_id,
        host_id=seat.room.host_id,
        player_id=seat.player_id,
        player_token=seat.token,
        room=RoomView.of(seat.room),
    )
    return Reply(body, headers=_NO_STORE)


def get_room(rooms: Rooms, request: Request[None]) -> Reply:
    """Answer ``GET /rooms/{roomId}``; 304 when the client has this version."""
    room = rooms.get(request.room_id)
    etag = _etag(room)
    headers = {"etag": etag, "cache-control": "no-cache"}
    if _matches(request.if_none_match, etag):
        return Reply(None, 304, headers)
    return Reply(RoomView.of(room), headers=headers)


def join_room(rooms: Rooms, request: Request[JoinRoom]) -> Reply:
    """Answer ``POST /rooms/{roomId}/join``."""
    seat = rooms.join(request.room_id, request.body.player_name, request.token)
    body = RoomJoined(
        player_id=seat.player_id, player_token=seat.token, room=RoomView.of(seat.room)
    )
    return Reply(body, headers=_NO_STORE)


def leave_room(rooms: Rooms, request: Request[None]) -> Reply:
    """Answer ``DELETE /rooms/{roomId}/leave``."""
    assert request.token is not None  # noqa: S101  # the route requires it
    room = rooms.leave(request.room_id, request.token)
    body = RoomLeft("Successfully left the room", RoomView.of(room) if room else None)
    return Reply(body, headers=_NO_STORE)


def knew_the_room(request: Request[Any], reply: Reply) -> bool:
    """Whether a client has proven that it knew the room before it got this reply.

    A player's token does, where a leave succeeds. So does the time of the room's creation: a
    guesser would have to hit the millisecond too.
    """
    if isinstance(reply.body, RoomLeft):
        return True
    etag = reply.headers.get("etag", "")
    return request.created_at is not None and etag.startswith(_etag_start(request.created_at))


def _etag(room: Room) -> str:
    # The version alone would repeat when the code of an expired room is taken again.
    return f'{_etag_start(room.created_at)}{room.version}"'


def _etag_start(created_at: int) -> str:
    return f'"{created_at:x}-'


def _matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly, by RFC 9110 section 13.1.2: a proxy may have weakened the tag."""
    candidates = [candidate.strip() for candidate in if_none_match.split(",")]
    return candidates == ["*"] or etag in (tag.removeprefix("W/") for tag in candidates)
