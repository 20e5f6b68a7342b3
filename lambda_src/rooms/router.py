"""The router: one look-up, one handler and one log line per event."""

from __future__ import annotations

import logging
import time
import traceback
from typing import TYPE_CHECKING, Any, Final

from . import codes, payload
from .dynamodb import RequestError
from .errors import ErrorCode, RoomsError
from .routes import ROUTES

if TYPE_CHECKING:
    from .payload import Event, Reply
    from .service import Rooms

_ROUTES: Final = {route.key: route for route in ROUTES}
_logger = logging.getLogger(__name__)


def dispatch(event: Event, rooms: Rooms, *, version: str = "$LATEST") -> dict[str, Any]:
    """Return the response for an event; every error becomes a response of the contract.

    Logs one line per request: route, status, code, duration in milliseconds, room id, and the
    function's version, by which a deployment counts its errors; for a server error also its cause,
    and for a bug its place. Never a token or a name, and so never the text of an exception.
    """
    started = time.perf_counter()
    line: dict[str, Any] = {"route": "none", "code": "OK", "version": version}
    try:
        reply = _handle(event, rooms, line)
    except RoomsError as error:
        reply = payload.refuse(error)
        line |= {"code": error.code.name, "cause": error.cause}
    except Exception as error:  # noqa: BLE001  # the last line of defence, logged below
        reply = payload.refuse(RoomsError(ErrorCode.INTERNAL_ERROR))
        line |= {
            "code": ErrorCode.INTERNAL_ERROR.name,
            "cause": str(error) if isinstance(error, RequestError) else type(error).__name__,
            "trace": traceback.format_tb(error.__traceback__),
        }
    line["status"] = reply.status
    line["durationMs"] = round((time.perf_counter() - started) * 1000, 1)
    level = logging.ERROR if reply.status >= ErrorCode.INTERNAL_ERROR.status else logging.INFO
    _logger.log(level, "request", extra=line)
    return payload.respond(reply)


def _handle(event: Event, rooms: Rooms, line: dict[str, Any]) -> Reply:
    route = _ROUTES.get(event.get("routeKey", ""))
    if route is None:
        raise RoomsError(ErrorCode.NOT_FOUND, "Route not found")
    line["route"] = route.key
    if typed := (event.get("pathParameters") or {}).get("roomId"):
        line["roomId"] = codes.fold(typed)
    reply = route.handler(rooms, payload.read(event, token=route.token, body=route.request))
    line.setdefault("roomId", getattr(reply.body, "room_id", None))
    return reply
