"""Payload format 2.0: how an HTTP API turns a request into an event, and an answer into a response.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True, kw_only=True)
class GatewayRequest:
    """A request that matched a route. Header names are lower-cased, values comma-joined."""

    route_key: str
    method: str
    path: str
    """Decoded: an HTTP API hands on no percent-encoding (middleapi/standard-server#93)."""
    query_string: str
    headers: Mapping[str, str]
    path_parameters: Mapping[str, str]
    body: bytes
    protocol: str
    source_ip: str
    request_id: str
    time: datetime
    api_id: str
    account_id: str
    domain_name: str
    stage_variables: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class GatewayResponse:
    """What the client gets. Header names are lower-cased."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    body: bytes = b""


def event_of(request: GatewayRequest) -> dict[str, Any]:
    """Make the event. As in AWS, fields that would be empty are left out."""
    is_text = _is_text(request.headers.get("content-type", ""))
    body = request.body
    cookies = [cookie.strip() for cookie in request.headers.get("cookie", "").split(";")]
    event = {
        "version": "2.0",
        "routeKey": request.route_key,
        "rawPath": request.path,
        "rawQueryString": request.query_string,
        "cookies": [cookie for cookie in cookies if cookie],
        "headers": {name: value for name, value in request.headers.items() if name != "cookie"},
        "queryStringParameters": _query_parameters(request.query_string),
        "pathParameters": dict(request.path_parameters),
        "stageVariables": dict(request.stage_variables),
        "requestContext": {
            "accountId": request.account_id,
            "apiId": request.api_id,
            "domainName": request.domain_name,
            "domainPrefix": request.domain_name.partition(".")[0],
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": request.headers.get("user-agent", ""),
            },
            "requestId": request.request_id,
            "routeKey": request.route_key,
            "stage": "$default",
            "time": request.time.strftime("%d/%b/%Y:%H:%M:%S %z"),
            "timeEpoch": int(request.time.timestamp() * 1000),
        },
        "body": body.decode("utf-8", "replace") if is_text else base64.b64encode(body).decode(),
        "isBase64Encoded": bool(body) and not is_text,
    }
    optional = ("cookies", "queryStringParameters", "pathParameters", "stageVariables", "body")
    return {name: value for name, value in event.items() if value or name not in optional}


def response_of(payload: bytes) -> GatewayResponse | None:
    """Read a function's answer; None when an HTTP API would call it malformed (and answer 500).

    Without ``statusCode`` the whole answer is the body of a 200, as JSON.
    """
    try:
        answer = json.loads(payload)
    except ValueError:
        return None
    if not isinstance(answer, dict) or "statusCode" not in answer:
        inferred = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        return GatewayResponse(
            status=HTTPStatus.OK,
            headers={"content-type": "application/json"},
            body=inferred.encode(),
        )
    status, headers = answer["statusCode"], answer.get("headers") or {}
    text, cookies = answer.get("body") or "", answer.get("cookies") or []
    if not (
        isinstance(status, int)
        and 100 <= status <= 599  # noqa: PLR2004  (HTTP's range)
        and isinstance(text, str)
        and isinstance(headers, dict)
        and all(isinstance(value, str | int | float) for value in headers.values())
        and isinstance(cookies, list)
        and all(isinstance(cookie, str) for cookie in cookies)
    ):
        return None
    try:
        is_base64 = bool(answer.get("isBase64Encoded"))
        body = base64.b64decode(text, validate=True) if is_base64 else text.encode()
    except binascii.Error:
        return None
    return GatewayResponse(
        status=status,
        headers={"content-type": "text/plain;charset=UTF-8"}
        | {name.lower(): _header_text(value) for name, value in headers.items()},
        cookies=tuple(cookies),
        body=body,
    )


def _is_text(content_type: str) -> bool:
    """Tell text bodies from those that are base64-encoded, also forms and those without a type.

    The documentation does not list them; ministackorg/ministack#766 measured them on AWS.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    application_types = ("json", "xml", "javascript")
    return media_type.startswith("text/") or media_type in {
        f"application/{name}" for name in application_types
    }


def _query_parameters(query_string: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query_string, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _header_text(value: str | float) -> str:
    return value if isinstance(value, str) else json.dumps(value)
