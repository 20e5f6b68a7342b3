"""API Gateway's payload format 2.0: the parts of an event that handlers need, and the response.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Final, Generic, TypeVar

import msgspec

from . import names, tokens
from .errors import ErrorCode, RoomsError
from .headers import ROOM_CREATED
from .wire import ErrorBody, ErrorView

MAX_BODY_BYTES: Final = 4096
"""Many times the size of the longest name, with any escapes."""

Event = Mapping[str, Any]
BodyT = TypeVar("BodyT")


class TokenUse(Enum):
    """What a route does with the player token in ``Authorization: Bearer``."""

    IGNORED = auto()
    OPTIONAL = auto()
    REQUIRED = auto()


class Request(msgspec.Struct, Generic[BodyT], frozen=True, kw_only=True):
    """The input of a handler.

    ``room_id`` is as it was typed, not yet folded ("" on a route without it). ``token`` is well
    formed, or None where the route allows or ignores that. ``if_none_match`` is the header.
    ``created_at`` is what the client says of the room's creation, in milliseconds; None where it
    says nothing, or no number.
    """

    room_id: str
    token: str | None
    if_none_match: str
    created_at: int | None = None
    body: BodyT


class Reply(msgspec.Struct, frozen=True):
    """The answer of a handler; ``body`` is a wire type, or None for no body."""

    body: msgspec.Struct | None
    status: int = 200
    headers: Mapping[str, str] = {}


def read(event: Event, *, token: TokenUse, body: type[BodyT] | None) -> Request[BodyT | None]:
    """Read the parts of an event that a route needs.

    Raises:
        RoomsError: ``UNAUTHORIZED``, ``MISSING_BODY``, ``PAYLOAD_TOO_LARGE``, ``INVALID_JSON`` or
            ``VALIDATION_ERROR``, checked in this order.

    """
    headers = event.get("headers") or {}
    return Request(
        room_id=(event.get("pathParameters") or {}).get("roomId", ""),
        token=None if token is TokenUse.IGNORED else _token(headers, token),
        if_none_match=headers.get("if-none-match", ""),
        created_at=_milliseconds(headers.get(ROOM_CREATED, "")),
        body=None if body is None else _body(event, body),
    )


def respond(reply: Reply) -> dict[str, Any]:
    """Return the response that API Gateway turns into HTTP."""
    if reply.body is None:
        return {"statusCode": reply.status, "headers": dict(reply.headers)}
    return {
        "statusCode": reply.status,
        "headers": {"content-type": "application/json", **reply.headers},
        "body": msgspec.json.encode(reply.body).decode(),
    }


def refuse(error: RoomsError) -> Reply:
    """Return the reply for an error."""
    view = ErrorView(error.code.name, error.message, dict(error.details) if error.details else None)
    wait_s = 1 if error.code is ErrorCode.UNAVAILABLE else error.retry_after_s
    retry = {} if wait_s is None else {"retry-after": str(wait_s)}
    return Reply(ErrorBody(view), error.code.status, {"cache-control": "no-store", **retry})


def _milliseconds(text: str) -> int | None:
    return int(text) if re.fullmatch("[0-9]{1,15}", text) else None


def _token(headers: Mapping[str, str], use: TokenUse) -> str | None:
    authorization = headers.get("authorization")
    if authorization is None and use is TokenUse.OPTIONAL:
        return None
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not tokens.is_well_formed(token):
        raise RoomsError(ErrorCode.UNAUTHORIZED)
    return token


def _body(event: Event, wanted: type[BodyT]) -> BodyT:
    text = event.get("body")
    if not text:
        raise RoomsError(ErrorCode.MISSING_BODY)
    try:
        data = (
            base64.b64decode(text, validate=True)
            if event.get("isBase64Encoded")
            else text.encode("utf-8", "surrogatepass")
        )
        if len(data) > MAX_BODY_BYTES:
            raise RoomsError(ErrorCode.PAYLOAD_TOO_LARGE)
        value = msgspec.json.decode(data)
    except (ValueError, RecursionError, msgspec.DecodeError) as error:
        raise RoomsError(ErrorCode.INVALID_JSON) from error
    if not isinstance(value, dict):
        raise RoomsError(ErrorCode.VALIDATION_ERROR, "Request body must be a JSON object")
    return _convert(value, wanted)


def _convert(value: dict[str, object], wanted: type[BodyT]) -> BodyT:
    # Field by field: msgspec stops at the first fault, but the client gets all of them.
    fields = {}
    faults = {}
    for field in msgspec.structs.fields(wanted):  # type: ignore[arg-type]  # a Struct, by the table
        try:
            fields[field.name] = msgspec.convert(
                value.get(field.encode_name), field.type, dec_hook=_player_name
            )
        except msgspec.ValidationError as error:
            words = re.sub("([A-Z])", r" \1", field.encode_name).capitalize()
            faults[field.encode_name] = f"{words} {error}"
    if faults:
        raise RoomsError(ErrorCode.VALIDATION_ERROR, details=faults)
    return wanted(**fields)


def _player_name(_type: type, value: object) -> names.PlayerName:
    if value is None:
        raise ValueError("is required")
    if not isinstance(value, str):
        raise ValueError("must be a string")  # noqa: TRY004  # msgspec turns only this into its own
    return names.clean(value)
