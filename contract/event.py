"""Events and responses of API Gateway's payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from contract.run import ContractResponse, NoResponseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.run import ContractRequest

_LEFT_OUT_WHEN_EMPTY: Final = (
    "cookies",
    "queryStringParameters",
    "pathParameters",
    "stageVariables",
    "body",
)
_TEXT_TYPES: Final = frozenset({"application/json", "application/xml", "application/javascript"})


@dataclass(frozen=True, kw_only=True)
class HttpApiRequest:
    """A request that matched a route of an HTTP API.

    Header names are in lower case, values of one name joined by commas. ``path`` is decoded: an
    HTTP API hands on no percent-encoding (middleapi/standard-server#93). ``api_id``,
    ``account_id`` and ``domain_name`` are empty where no API is deployed.
    """

    route_key: str
    method: str
    path: str
    headers: Mapping[str, str]
    request_id: str
    query_string: str = ""
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    protocol: str = "HTTP/1.1"
    source_ip: str = "127.0.0.1"
    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    api_id: str = ""
    account_id: str = ""
    domain_name: str = ""
    stage_variables: Mapping[str, str] = field(default_factory=dict)


def http_api_event(request: HttpApiRequest) -> dict[str, Any]:
    """Return the event of a request. As in AWS, fields that would be empty are left out.

    An event is JSON, so it has no bytes that are no UTF-8: in a text they become U+FFFD here. AWS
    does not say what becomes of them there. The function takes U+FFFD in no name.
    """
    is_text = _is_text(request.headers.get("content-type", ""))
    body = request.body
    cookies = [cookie.strip() for cookie in request.headers.get("cookie", "").split(";")]
    api = {
        "accountId": request.account_id,
        "apiId": request.api_id,
        "domainName": request.domain_name,
        "domainPrefix": request.domain_name.partition(".")[0],
    }
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
            **{name: value for name, value in api.items() if value},
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
    return {
        name: value for name, value in event.items() if value or name not in _LEFT_OUT_WHEN_EMPTY
    }


def contract_event(request: ContractRequest, *, request_id: str) -> dict[str, Any]:
    """Return the event of a request of the contract test."""
    content = b"" if request.body is None else json.dumps(request.body).encode()
    return http_api_event(
        HttpApiRequest(
            route_key=request.route,
            method=request.method,
            path=request.path,
            headers={
                "content-type": "application/json",
                "user-agent": "probe",
                **(request.headers or {}),
            },
            path_parameters={"roomId": request.room_id} if request.room_id else {},
            body=content,
            request_id=request_id,
        )
    )


def parse_response(payload: bytes) -> ContractResponse:
    """Read a function's answer (JSON). Raises NoResponseError when it is no response."""
    try:
        response = json.loads(payload)
        body = response.get("body")
        return ContractResponse(
            status=int(response["statusCode"]),
            headers={name.lower(): value for name, value in response.get("headers", {}).items()},
            body=json.loads(body) if body else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NoResponseError("the function's answer is no response of payload 2.0") from error


def _is_text(content_type: str) -> bool:
    """Tell text from what is base64-encoded, which forms and bodies without a type are, too.

    The documentation does not list the types; ministackorg/ministack#766 measured them on AWS.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type.startswith("text/") or media_type in _TEXT_TYPES


def _query_parameters(query_string: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query_string, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters
