"""The events of API Gateway that ask for a room, each from another client."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from benchmarks.cold_start.catalogue import Event
from contract.event import HttpApiRequest, http_api_event

if TYPE_CHECKING:
    from collections.abc import Iterator


def events(kind: Event) -> Iterator[dict[str, Any]]:
    """Return events without end."""
    for number in itertools.count():
        event = http_api_event(_request(number))
        if kind is Event.REST_API:
            yield _of_rest_api(event)
            continue
        if kind is Event.DIRECT:
            del event["requestContext"]["apiId"]
        yield event


def _request(number: int) -> HttpApiRequest:
    host = "a1b2c3d4e5.execute-api.ap-northeast-1.amazonaws.com"
    client = f"198.18.{number // 250}.{number % 250 + 1}"
    return HttpApiRequest(
        route_key="POST /rooms",
        method="POST",
        path="/rooms",
        headers={
            "accept": "application/json",
            "content-type": "application/json",
            "host": host,
            "user-agent": "Mozilla/5.0",
            "x-forwarded-for": client,
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        request_id=f"request-{number}",
        body=json.dumps({"hostName": "ひまわり"}).encode(),
        source_ip=client,
        api_id="a1b2c3d4e5",
        account_id="000000000000",
        domain_name=host,
    )


def _of_rest_api(event: dict[str, Any]) -> dict[str, Any]:
    """Return the same in payload format 1.0, the only one that Chalice reads.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
    """
    context = event["requestContext"]
    headers = event["headers"]
    return {
        "resource": "/rooms",
        "path": "/rooms",
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            **{name: context[name] for name in ("accountId", "apiId", "domainName", "requestId")},
            "resourcePath": "/rooms",
            "httpMethod": "POST",
            "path": "/rooms",
            "stage": "api",
            "identity": {"sourceIp": context["http"]["sourceIp"]},
        },
        "body": event["body"],
        "isBase64Encoded": False,
    }
