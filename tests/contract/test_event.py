"""Events as API Gateway makes them, and what counts as a response."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.event import contract_event, parse_response
from contract.run import ContractRequest, ContractResponse, NoResponseError


def test_a_request_with_a_body_is_an_event_of_payload_2_0() -> None:
    request = ContractRequest(
        "POST /rooms/{roomId}/join",
        "BCDFGH",
        body={"playerName": "プローブ"},
        headers={"authorization": "Bearer token"},
    )

    event = contract_event(request, request_id="7")

    assert (event["version"], event["routeKey"], event["rawPath"]) == (
        "2.0",
        "POST /rooms/{roomId}/join",
        "/rooms/BCDFGH/join",
    )
    assert event["pathParameters"] == {"roomId": "BCDFGH"}
    assert event["headers"] == {
        "content-type": "application/json",
        "user-agent": "probe",
        "authorization": "Bearer token",
    }
    assert json.loads(event["body"]) == {"playerName": "プローブ"}
    assert event["isBase64Encoded"] is False
    context = event["requestContext"]
    assert (context["http"]["method"], context["http"]["path"]) == ("POST", "/rooms/BCDFGH/join")
    assert (context["routeKey"], context["requestId"]) == (event["routeKey"], "7")
    assert json.loads(json.dumps(event)) == event


def test_missing_parts_of_a_request_are_left_out() -> None:
    event = contract_event(ContractRequest("POST /rooms"), request_id="7")
    assert "body" not in event
    assert "pathParameters" not in event


def test_a_response_is_read_with_its_headers_in_lower_case() -> None:
    response = {"statusCode": 200, "headers": {"ETag": '"1"'}, "body": '{"roomId": "部屋"}'}
    assert parse_response(json.dumps(response).encode()) == ContractResponse(
        200, {"etag": '"1"'}, {"roomId": "部屋"}
    )


def test_a_response_may_have_neither_headers_nor_body() -> None:
    assert parse_response(b'{"statusCode": 304}') == ContractResponse(304, {}, None)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'"ok"',
        b"{}",
        b"\xff\xfe\xfa",
        b'{"statusCode": "fine"}',
        b'{"statusCode": 200, "headers": null}',
        b'{"statusCode": 200, "body": "<html>"}',
        b'{"statusCode": 200, "body": {"roomId": "BCDFGH"}}',
        b'{"errorType": "Runtime.ExitError", "errorMessage": "exit status 1"}',
        b"[" * 100_000,
    ],
)
def test_anything_else_is_no_answer(payload: Any) -> None:
    with pytest.raises(NoResponseError, match="no response of payload"):
        parse_response(payload)
