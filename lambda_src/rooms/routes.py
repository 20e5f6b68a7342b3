"""The one table of routes.

Read by the router (``event["routeKey"]`` is the key), by the CDK construct that makes the API's
routes, and by the generator of ``docs/openapi.json``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from . import handlers
from .errors import ErrorCode
from .payload import Reply, Request, TokenUse
from .wire import CreateRoom, JoinRoom, RoomCreated, RoomJoined, RoomLeft, RoomView

if TYPE_CHECKING:
    from collections.abc import Callable

    from .service import Rooms

    Handler = Callable[[Rooms, Request[Any]], Reply]


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the API.

    ``request`` and ``response`` are the wire types of the bodies; ``errors`` are the codes that
    this route alone can answer with, beside those every route can (see ``COMMON_ERRORS``).
    """

    method: str
    path: str
    summary: str
    handler: Handler
    token: TokenUse
    request: type[msgspec.Struct] | None
    response: type[msgspec.Struct]
    errors: tuple[ErrorCode, ...]

    @property
    def key(self) -> str:
        """API Gateway's route key."""
        return f"{self.method} {self.path}"


COMMON_ERRORS: Final = (
    ErrorCode.DIRECT_ACCESS,
    ErrorCode.TOO_MANY_REQUESTS,
    ErrorCode.INTERNAL_ERROR,
    ErrorCode.UNAVAILABLE,
)

_BODY_ERRORS: Final = (
    ErrorCode.MISSING_BODY,
    ErrorCode.INVALID_JSON,
    ErrorCode.VALIDATION_ERROR,
    ErrorCode.PAYLOAD_TOO_LARGE,
)

ROUTES: Final = (
    Route(
        method="POST",
        path="/rooms",
        summary="Open a room and take its first seat.",
        handler=handlers.create_room,
        token=TokenUse.OPTIONAL,
        request=CreateRoom,
        response=RoomCreated,
        errors=(*_BODY_ERRORS, ErrorCode.UNAUTHORIZED),
    ),
    Route(
        method="GET",
        path="/rooms/{roomId}",
        summary="Look at a room; 304 when If-None-Match names the version that it has.",
        handler=handlers.get_room,
        token=TokenUse.IGNORED,
        request=None,
        response=RoomView,
        errors=(ErrorCode.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/rooms/{roomId}/join",
        summary="Take a free seat.",
        handler=handlers.join_room,
        token=TokenUse.OPTIONAL,
        request=JoinRoom,
        response=RoomJoined,
        errors=(
            *_BODY_ERRORS,
            ErrorCode.UNAUTHORIZED,
            ErrorCode.NOT_FOUND,
            ErrorCode.ROOM_FULL,
            ErrorCode.ROOM_NOT_JOINABLE,
        ),
    ),
    Route(
        method="DELETE",
        path="/rooms/{roomId}/leave",
        summary="Give up a seat; the room goes with its last player.",
        handler=handlers.leave_room,
        token=TokenUse.REQUIRED,
        request=None,
        response=RoomLeft,
        errors=(ErrorCode.UNAUTHORIZED, ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND),
    ),
)
