"""A request as an event of API Gateway's payload format 2.0, and the response of a function.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from .play import Answer, NoAnswerError

if TYPE_CHECKING:
    from .play import Request


def event_of(request: Request, *, request_id: str) -> dict[str, Any]:
    """Return what API Gateway would hand to the function."""
    headers = {"content-type": "application/json", **(request.headers or {})}
    milliseconds = int(time.time() * 1000)
    return {
        "version": "2.0",
        "routeKey": request.route,
        "rawPath": request.path,
        "rawQueryString": "",
        "headers": headers,
        **({"pathParameters": {"roomId": request.room_id}} if request.room_id else {}),
        "requestContext": {
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": "probe",
            },
            "requestId": request_id,
            "routeKey": request.route,
            "stage": "$default",
            "timeEpoch": milliseconds,
        },
        **({"body": json.dumps(request.body)} if request.body is not None else {}),
        "isBase64Encoded": False,
    }


def answer_of(payload: bytes) -> Answer:
    """Read what the function answered (JSON). Raises NoAnswerError when that is no response."""
    try:
        response = json.loads(payload)
        body = response.get("body")
        return Answer(
            status=int(response["statusCode"]),
            headers={name.lower(): value for name, value in response.get("headers", {}).items()},
            body=json.loads(body) if body else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NoAnswerError("the function's answer is no response of payload 2.0") from None
