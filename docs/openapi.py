"""Writes ``docs/openapi.json`` from the route table: ``python -m docs.openapi``."""

import json
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from lambda_src.rooms import names, payload, tokens
from lambda_src.rooms.errors import ErrorCode
from lambda_src.rooms.payload import TokenUse
from lambda_src.rooms.routes import COMMON_ERRORS, ROUTES, Route
from lambda_src.rooms.wire import ErrorBody

PATH = Path(__file__).with_name("openapi.json")

_ROOM_ID: Mapping[str, Any] = {
    "name": "roomId",
    "in": "path",
    "required": True,
    "description": "The room's code; case, width of letters, spaces and hyphens do not matter.",
    "schema": {"type": "string"},
}
_IF_NONE_MATCH: Mapping[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of the version that the client has.",
    "schema": {"type": "string"},
}
_ETAG = {"description": "Changes with every change of the room.", "schema": {"type": "string"}}
_RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
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
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "hima-five-bomber rooms",
            "version": "1.0.0",
            "description": "The lobby of a five-player quiz game. Times are in milliseconds since"
            " the epoch. Clients should ignore fields that they do not know.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "playerToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": f"A player's secret, `{tokens.PATTERN}`; random, 128 bits or"
                    " more, one for each player and room.",
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
        parameters = [*parameters, _IF_NONE_MATCH]
    if parameters:
        operation["parameters"] = parameters
    if route.request:
        operation["requestBody"] = {
            "required": True,
            "description": f"At most {payload.MAX_BODY_BYTES} bytes.",
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
    yield (
        "429",
        {
            "description": "Too many requests; answered by API Gateway itself.",
            "content": _json({"type": "object", "properties": {"message": {"type": "string"}}}),
        },
    )
    errors = sorted((*route.errors, *COMMON_ERRORS), key=lambda code: code.status)
    for status, group in groupby(errors, key=lambda code: code.status):
        yield str(status), _refusal(list(group))


def _refusal(codes: list[ErrorCode]) -> dict[str, Any]:
    one_of = {"properties": {"error": {"properties": {"code": {"enum": [c.name for c in codes]}}}}}
    response: dict[str, Any] = {
        "description": " ".join(f"{code.name}: {code.message}." for code in codes),
        "content": _json({"allOf": [_reference(ErrorBody), one_of]}),
    }
    if ErrorCode.UNAVAILABLE in codes:
        response["headers"] = {"Retry-After": _RETRY_AFTER}
    return response


def _schema(kind: type) -> dict[str, Any]:
    if kind is names.PlayerName:
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": names.MAX_LENGTH,
            "description": "Trimmed, also of characters without width, and brought to NFC before"
            " its code points are counted; no control characters.",
        }
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
    """Return the text of the committed file."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
