"""Writes ``docs/openapi.json`` from the route table: ``python -m tools.openapi``."""

import json
import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from lambda_src.rooms import codes, headers, names, payload, tokens
from lambda_src.rooms.errors import ErrorCode
from lambda_src.rooms.payload import TokenUse
from lambda_src.rooms.routes import COMMON_ERRORS, ROUTES, Route
from lambda_src.rooms.wire import ErrorBody

PATH = Path(__file__).parents[1] / "docs" / "openapi.json"

_NOT_SHOWN = re.compile("[^\n -~\u3001-\u3098\u309b-\u30ff\u4e00-\u9fff\uff01-\uff5e]")

_ROOM_ID: Mapping[str, Any] = {
    "name": "roomId",
    "in": "path",
    "required": True,
    "description": f"The room's code, as somebody types it. It is folded to `{codes.PATTERN}`: by"
    " NFKC, so that the width of letters does not matter, to upper case, and without spaces and"
    " hyphens. Any other text is the code of no room: NOT_FOUND.",
    "schema": {"type": "string", "minLength": 1, "examples": ["BCDF23", "bcd-f23"]},
}
_IF_NONE_MATCH: Mapping[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of the version that the client has, a list of them, or `*`; compared"
    " weakly (RFC 9110, section 13.1.2). Anything else matches nothing.",
    "schema": {"type": "string"},
}
_ROOM_CREATED: Mapping[str, Any] = {
    "name": headers.ROOM_CREATED,
    "in": "header",
    "description": "The room's createdAt, where the client has seen it. Such a client is answered"
    " when its network has tried too many codes, too. Anything else says nothing.",
    "schema": {"type": "string"},
}
_ETAG = {"description": "Changes with every change of the room.", "schema": {"type": "string"}}
_RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html and
# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
# tests/tools/test_request_limits.py has what it cannot say.
_PLAYER_NAME = {
    "title": "PlayerName",
    "description": f"1 to {names.MAX_LENGTH} code points, counted after it was brought to NFC and"
    " trimmed, also of characters without width; at least one is visible, and none is a control"
    " character, U+FFFD or a noncharacter. The pattern does not count characters that NFC may make"
    " one with the one before, and NFC makes some characters several.",
    "type": "string",
    "minLength": 1,
    "pattern": names.TEXT_PATTERN,
    "allOf": [{"pattern": names.VISIBLE_PATTERN}],
    "examples": ["ひま"],
}
_GATEWAY_ANSWERS = {
    413: "the body is over 10 MB",
    429: "too many requests",
    500: "the function failed",
    503: "the function did not answer in time",
}
_GATEWAY_MESSAGE = {
    "title": "GatewayMessage",
    "description": "The body of an answer that API Gateway gives in place of the function.",
    "type": "object",
    "properties": {"message": {"type": "string"}},
    "required": ["message"],
}
_TOKEN_DESCRIPTIONS = {
    TokenUse.IGNORED: "",
    TokenUse.OPTIONAL: (
        "A client that brings a token of its own can repeat the request when the answer was lost:"
        " it finds the seat that it has. Without one, the server makes a token."
    ),
    TokenUse.REQUIRED: (
        "When the answer was lost, a repeat is refused with FORBIDDEN or NOT_FOUND: it is done."
    ),
}


def document() -> dict[str, Any]:
    """Return the API's OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1.html)."""
    types = {kind for route in ROUTES for kind in (route.request, route.response) if kind}
    _, schemas = msgspec.json.schema_components(
        [*sorted(types, key=lambda kind: kind.__name__), ErrorBody],
        schema_hook=_schema,
        ref_template="#/components/schemas/{name}",
    )
    for route in ROUTES:
        if route.request:
            _limit_lengths(schemas[route.request.__name__]["properties"])
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "hima-five-bomber rooms",
            "version": "1.0.0",
            "description": "The lobby of a five-player quiz game. Times are in milliseconds since"
            " the epoch. Clients should ignore fields that they do not know. Any other path or"
            " method is answered by API Gateway itself: 404, with a GatewayMessage.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": {
                **schemas,
                "GatewayMessage": _GATEWAY_MESSAGE,
                "PlayerName": _PLAYER_NAME,
            },
            "securitySchemes": {
                "playerToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": f"A player's secret, `{tokens.PATTERN}`; random, such as a"
                    " UUID; one for each player and room.",
                }
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _camel(route.handler.__name__),
        "summary": route.summary,
        "responses": dict(sorted(_responses(route))),
    }
    if description := _TOKEN_DESCRIPTIONS[route.token]:
        operation["description"] = description
        anonymous: list[dict[str, list[str]]] = [{}] if route.token is TokenUse.OPTIONAL else []
        operation["security"] = [*anonymous, {"playerToken": []}]
    parameters = [_ROOM_ID] if "{roomId}" in route.path else []
    if route.method == "GET":
        parameters = [*parameters, _IF_NONE_MATCH, _ROOM_CREATED]
    if parameters:
        operation["parameters"] = parameters
    if route.request:
        operation["requestBody"] = {
            "required": True,
            "description": f"JSON in UTF-8, of at most {payload.MAX_BODY_BYTES} bytes, whatever"
            " `Content-Type` says. Fields that are not named here are ignored.",
            "content": _json(_reference(route.request)),
        }
    return operation


def _responses(route: Route) -> Iterable[tuple[str, dict[str, Any]]]:
    ok: dict[str, Any] = {
        "description": _first_line(route.response),
        "content": _json(_reference(route.response)),
    }
    if route.method == "GET":
        ok["headers"] = {"ETag": _ETAG}
        yield "304", {"description": "The client has this version.", "headers": {"ETag": _ETAG}}
    yield "200", ok
    codes = sorted((*route.errors, *COMMON_ERRORS), key=lambda code: code.status)
    refusals = {
        status: list(group) for status, group in groupby(codes, key=lambda code: code.status)
    }
    for status in sorted(refusals.keys() | _GATEWAY_ANSWERS.keys()):
        yield str(status), _refusal(refusals.get(status, []), _GATEWAY_ANSWERS.get(status))


def _refusal(codes: list[ErrorCode], gateway: str | None) -> dict[str, Any]:
    schemas: list[dict[str, Any]] = []
    descriptions = [f"{code.name}: {code.message}." for code in codes]
    if codes:
        enum = {"enum": [code.name for code in codes]}
        narrowed = {"properties": {"error": {"properties": {"code": enum}}}}
        schemas.append({"allOf": [_reference(ErrorBody), narrowed]})
    if gateway:
        schemas.append({"$ref": "#/components/schemas/GatewayMessage"})
        descriptions.append(f"From API Gateway itself: {gateway}.")
    response: dict[str, Any] = {
        "description": " ".join(descriptions),
        "content": _json(schemas[0] if len(schemas) == 1 else {"anyOf": schemas}),
    }
    if {ErrorCode.UNAVAILABLE, ErrorCode.TOO_MANY_REQUESTS} & {*codes}:
        response["headers"] = {"Retry-After": _RETRY_AFTER}
    return response


def _limit_lengths(properties: dict[str, dict[str, Any]]) -> None:
    """Say of each field how long it can be in a body of nothing else: in ASCII, without spaces."""
    for name, schema in properties.items():
        without = json.dumps({name: ""}, separators=(",", ":"))
        schema["maxLength"] = payload.MAX_BODY_BYTES - len(without)


def _schema(kind: type) -> dict[str, Any]:
    if kind is names.PlayerName:
        return _reference(kind)
    raise NotImplementedError(kind)


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _reference(kind: type) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").partition("\n")[0]


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def render() -> str:
    """Return the text of the committed file.

    What is neither ASCII nor Japanese is escaped: the patterns have characters that nobody sees.
    """
    text = json.dumps(document(), indent=2, ensure_ascii=False) + "\n"
    return _NOT_SHOWN.sub(lambda found: json.dumps(found[0])[1:-1], text)


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
