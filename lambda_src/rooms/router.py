"""The router: one look-up, one handler and one log line per event."""

from __future__ import annotations

import logging
import time
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from . import codes, handlers, payload
from .client import Entrance
from .dynamodb import RequestError
from .errors import ErrorCode, RoomsError
from .payload import TokenUse
from .routes import ROUTES

if TYPE_CHECKING:
    from .guesses import GuessLimit
    from .payload import Event, Reply
    from .service import Rooms

_ROUTES: Final = {route.key: route for route in ROUTES}
_OPEN: Final = Entrance()
_logger = logging.getLogger(__name__)


def dispatch(
    event: Event,
    rooms: Rooms,
    *,
    version: str = "$LATEST",
    entrance: Entrance = _OPEN,
    guesses: GuessLimit | None = None,
) -> dict[str, Any]:
    """Return the response for an event; every error becomes a response of the contract.

    ``entrance`` says how requests may come in, ``guesses`` how many codes a client may try; without
    it, as many as it likes.

    Logs one line per request: route, status, code, duration in milliseconds, room id, and the
    function's version, by which a deployment counts its errors; for a server error also its cause,
    and for a bug its place. Never a token, a name or an address, and so never the text of an
    exception.
    """
    started = time.perf_counter()
    line: dict[str, Any] = {"route": "none", "code": "OK", "version": version}
    try:
        reply = _handle(event, rooms, line, entrance, guesses)
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


def _handle(
    event: Event,
    rooms: Rooms,
    line: dict[str, Any],
    entrance: Entrance,
    guesses: GuessLimit | None,
) -> Reply:
    network = entrance.admit(event)
    route = _ROUTES.get(event.get("routeKey", ""))
    if route is None:
        raise RoomsError(ErrorCode.NOT_FOUND, "Route not found")
    line["route"] = route.key
    if typed := (event.get("pathParameters") or {}).get("roomId"):
        line["roomId"] = codes.fold(typed)
    request = payload.read(event, token=route.token, body=route.request)
    answer = partial(route.handler, rooms, request)
    if guesses is None or network is None:
        reply = answer()
    else:
        # Proof is looked for in the reply, so a write that needs none would be done before that.
        has_proof = route.token is TokenUse.REQUIRED or (
            route.method == "GET" and request.created_at is not None
        )
        reply = guesses.guard(
            network,
            request.room_id,
            answer,
            is_proven=partial(handlers.knew_the_room, request) if has_proof else None,
        )
    line.setdefault("roomId", getattr(reply.body, "room_id", None))
    return reply
