"""The one invocation: what is asked, and what each answer of Lambda's means."""

import base64
import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.response import StreamingBody

from lambda_src.rooms.codes import fold
from release.diagnosis.invocation import invoke_live
from release.diagnosis.outcome import (
    ROOM_THAT_IS_NOT,
    Answered,
    Failed,
    Silent,
    TurnedAway,
    answers,
)
from tests.support.release.diagnosis_clients import stubbed

NAME = "hima-five-bomber-dev-rooms"


def invoked(payload: object, **more: Any) -> Any:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    with stubbed("lambda") as (client, stubber):
        body = StreamingBody(io.BytesIO(data), len(data))
        stubber.add_response("invoke", {"StatusCode": 200, "Payload": body, **more})
        return invoke_live(client, NAME, seconds=50)


def http(status: int, body: object) -> dict[str, Any]:
    return {"statusCode": status, "headers": {}, "body": json.dumps(body)}


def test_a_room_is_asked_for_that_does_not_exist_and_nothing_is_written() -> None:
    asked: dict[str, Any] = {}

    class Lambda:
        def invoke(self, **arguments: Any) -> dict[str, Any]:
            asked.update(arguments)
            return {"Payload": io.BytesIO(b"{}")}

    invoke_live(Lambda(), NAME, seconds=50)

    event = json.loads(asked["Payload"])
    assert (asked["FunctionName"], asked["Qualifier"]) == (NAME, "live")
    assert asked["LogType"] == "Tail"
    assert event["routeKey"] == "GET /rooms/{roomId}"
    assert event["requestContext"]["http"]["method"] == "GET"
    assert event["pathParameters"] == {"roomId": ROOM_THAT_IS_NOT}
    assert fold(ROOM_THAT_IS_NOT) == ROOM_THAT_IS_NOT  # It is a code, so the table is asked.


@pytest.mark.parametrize(
    ("response", "works"),
    [
        (http(404, {"error": {"code": "NOT_FOUND"}}), True),
        (http(200, {"roomId": ROOM_THAT_IS_NOT}), True),
        (http(404, {"message": "Not Found"}), False),
        (http(500, {"error": {"code": "INTERNAL_ERROR"}}), False),
        (http(503, {"error": {"code": "UNAVAILABLE"}}), False),
        (http(302, {}), False),
        ("Simple Lambda happy path OK", False),
        (None, False),
        ({"statusCode": 404}, False),
    ],
)
def test_only_the_contracts_own_answer_proves_that_it_works(response: object, works: bool) -> None:
    found = invoked(response)

    assert isinstance(found, Answered)
    assert answers(found) is works


def test_an_error_of_the_functions_and_what_it_logged() -> None:
    tail = (
        "START RequestId: 6da64f80-0eb1 Version: 3\n"
        "RequestId: 6da64f80-0eb1 Error: fork/exec /lambda-entrypoint.sh: exec format error\n"
        "Runtime.InvalidEntrypoint\n"
        "END RequestId: 6da64f80-0eb1\n"
    )
    found = invoked(
        {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": "Error: ProcessSpawnFailed"},
        FunctionError="Unhandled",
        LogResult=base64.b64encode(tail.encode()).decode(),
        ExecutedVersion="3",
    )
    assert isinstance(found, Failed)
    assert (found.type, found.message) == ("Runtime.InvalidEntrypoint", "Error: ProcessSpawnFailed")
    [line] = found.tail
    assert line.error_type == "Runtime.InvalidEntrypoint"
    assert line.message == "fork/exec /lambda-entrypoint.sh: exec format error"
    assert line.version == "3"


def test_a_tail_that_begins_in_the_middle_of_a_line_is_read() -> None:
    tail = b'"cause": "x"}\n' + json.dumps({"status": 503, "cause": "ConnectTimeoutError"}).encode()

    found = invoked(
        http(503, {"error": {"code": "UNAVAILABLE"}}), LogResult=base64.b64encode(tail).decode()
    )
    assert isinstance(found, Answered)
    assert [line.cause for line in found.tail] == ["ConnectTimeoutError"]


@pytest.mark.parametrize("payload", [b"no JSON", b"[]", b""])
def test_an_error_without_a_form(payload: bytes) -> None:
    found = invoked(payload, FunctionError="Unhandled", LogResult="%%%")

    assert isinstance(found, Failed)
    assert found.message


def test_an_invocation_that_is_turned_away_has_its_reason() -> None:
    with stubbed("lambda") as (client, stubber):
        stubber.add_client_error(
            "invoke",
            "TooManyRequestsException",
            "Rate Exceeded.",
            429,
            modeled_fields={"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"},
        )
        found = invoke_live(client, NAME, seconds=50)
    assert found == TurnedAway(
        "TooManyRequestsException",
        "ReservedFunctionConcurrentInvocationLimitExceeded",
        "Rate Exceeded.",
    )


def test_a_role_that_lambda_cannot_take_on_is_no_lack_of_ours() -> None:
    with stubbed("lambda") as (client, stubber):
        message = "The role defined for the function cannot be assumed by Lambda."
        stubber.add_client_error("invoke", "AccessDeniedException", message)
        found = invoke_live(client, NAME, seconds=50)
    assert isinstance(found, TurnedAway)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException"])
def test_a_caller_who_may_not_invoke_learns_nothing_of_the_function(code: str) -> None:
    with stubbed("lambda") as (client, stubber), pytest.raises(ClientError):
        stubber.add_client_error("invoke", code, "not authorized to perform lambda:InvokeFunction")
        invoke_live(client, NAME, seconds=50)


def test_silence_is_an_answer_and_no_network_is_none() -> None:
    class Lambda:
        def __init__(self, error: Exception) -> None:
            self._error = error

        def invoke(self, **_: Any) -> None:
            raise self._error

    silent = Lambda(ReadTimeoutError(endpoint_url="u"))
    assert invoke_live(silent, NAME, seconds=50) == Silent(50)
    with pytest.raises(EndpointConnectionError):
        invoke_live(Lambda(EndpointConnectionError(endpoint_url="u")), NAME, seconds=50)
