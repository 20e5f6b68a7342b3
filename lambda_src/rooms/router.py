"""From an event to a response: one look-up, one handler, one log line."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from . import codes, payload
from .errors import ErrorCode, RoomsError
from .routes import ROUTES, Route

if TYPE_CHECKING:
    from .payload import Event, Reply
    from .service import Rooms

_ROUTES: Final = {route.key: route for route in ROUTES}
_logger = logging.getLogger(__name__)


def dispatch(event: Event, rooms: Rooms) -> dict[str, Any]:
    """Answer an event; whatever goes wrong becomes a response of the contract.

    Logs one line a request: route, status, code, duration in milliseconds, room id; for a server
    error also its cause. Never a token, never a name.
    """
    started = time.perf_counter()
    route = _ROUTES.get(event.get("routeKey", ""))
    cause: BaseException | None = None
    code = "OK"
    try:
        reply = _handle(route, event, rooms)
    except RoomsError as error:
        reply, code = payload.refuse(error), error.code.name
        cause = error if error.code.status >= ErrorCode.INTERNAL_ERROR.status else None
    except Exception as error:  # noqa: BLE001  # the last line of defence, logged below
        reply, code = payload.refuse(RoomsError(ErrorCode.INTERNAL_ERROR)), "INTERNAL_ERROR"
        cause = error
    _logger.log(
        logging.ERROR if cause else logging.INFO,
        "request",
        extra={
            "route": route.key if route else "none",
            "status": reply.status,
            "code": code,
            "durationMs": round((time.perf_counter() - started) * 1000, 1),
            "roomId": _room_id(event, reply),
        },
        exc_info=cause,
    )
    return payload.respond(reply)


def _handle(route: Route | None, event: Event, rooms: Rooms) -> Reply:
    if route is None:
        raise RoomsError(ErrorCode.NOT_FOUND, "Route not found")
    return route.handler(rooms, payload.read(event, token=route.token, body=route.request))


def _room_id(event: Event, reply: Reply) -> str | None:
    typed = (event.get("pathParameters") or {}).get("roomId")
    return codes.fold(typed) if typed else getattr(reply.body, "room_id", None)
