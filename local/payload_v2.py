"""Payload format 2.0: reads a function's answer as the response of an HTTP API.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True, kw_only=True)
class GatewayResponse:
    """The response to the client. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    body: bytes = b""


def gateway_response(payload: bytes) -> GatewayResponse | None:
    """Return the response of a function's answer; None when it is malformed: an HTTP API sends 500.

    An answer without ``statusCode`` is the body of a 200, as JSON.
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


def _header_text(value: str | float) -> str:
    return value if isinstance(value, str) else json.dumps(value)
