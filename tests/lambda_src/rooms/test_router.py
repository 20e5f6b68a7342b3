"""Every request gets a response, and one log line without a secret."""

from __future__ import annotations

import json
import logging
from typing import Any

import jsonschema
import pytest
from awslambdaric.lambda_runtime_log_utils import JsonFormatter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_src.rooms import router
from lambda_src.rooms.routes import COMMON_ERRORS, ROUTES
from tests.lambda_src.rooms.conftest import CREATE, GET, JOIN, LEAVE, Api
from tools import openapi

SECRET = "himitsu-himitsu-himitsu-himitsu-himitsu"
TEXT = st.text() | st.sampled_from(["", SECRET, f"Bearer {SECRET}", "BCDFGH", "e30=", "{}"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ROUTE_KEY = st.sampled_from([CREATE, GET, JOIN, LEAVE])
HEADER = st.sampled_from(["authorization", "if-none-match", "content-type"])
FIELDS = {
    "routeKey": ROUTE_KEY | ANYTHING,
    "headers": ANYTHING | st.dictionaries(HEADER, ANYTHING, max_size=3),
    "pathParameters": ANYTHING | st.fixed_dictionaries({"roomId": ANYTHING}),
    "body": ANYTHING | st.sampled_from(['{"hostName": 5}', '{"playerName": [{}]}', "W10="]),
    "isBase64Encoded": ANYTHING | st.booleans(),
}
OF_API_GATEWAY = {
    "routeKey": ROUTE_KEY,
    "headers": st.dictionaries(HEADER | TEXT, TEXT, max_size=4),
    "pathParameters": st.fixed_dictionaries({"roomId": TEXT}),
    "body": TEXT | ANYTHING.map(json.dumps),
    "isBase64Encoded": st.booleans(),
}
FUZZED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Any:
    """Returns the lines so far, formatted by Lambda's own formatter."""
    caplog.set_level(logging.INFO)

    def lines() -> list[dict[str, Any]]:
        formatter = JsonFormatter()
        records = [record for record in caplog.records if record.name == router.__name__]
        return [json.loads(formatter.format(record)) for record in records]

    return lines


@pytest.mark.parametrize("event", [{}, {"routeKey": "$default"}, {"httpMethod": "GET"}])
def test_an_event_of_no_route_is_not_found(api: Api, event: dict[str, Any]) -> None:
    response = router.dispatch(event, api.rooms)
    assert response["statusCode"] == 404
    assert json.loads(response["body"])["error"] == {
        "code": "NOT_FOUND",
        "message": "Route not found",
    }


def test_one_line_a_request_says_route_status_code_duration_and_room(api: Api, log: Any) -> None:
    room = api.create().body["roomId"]
    api.get(room.lower())
    api.get("nonsense")

    created, read, missed = log()
    assert (created["route"], created["status"], created["code"]) == (CREATE, 200, "OK")
    assert created["level"] == "INFO"
    assert created["durationMs"] >= 0
    assert [line.get("roomId") for line in (created, read, missed)] == [room, room, None]
    assert (missed["status"], missed["code"]) == (404, "NOT_FOUND")


def test_each_line_names_the_version_that_answered(api: Api, log: Any) -> None:
    """The alarm that stops a deployment counts server errors by it."""
    router.dispatch({"routeKey": []}, api.rooms, version="7")
    (line,) = log()
    assert (line["message"], line["status"], line["version"]) == ("request", 500, "7")


def test_no_line_holds_a_token_or_a_name(api: Api, log: Any, token: str) -> None:
    host = api.create("ひみつの名前").body
    room = host["roomId"]
    api.join(room, "ひみつの名前", token=token)
    api.join(room, "ひみつの名前" * 9, token=token)
    api(CREATE, body='{"hostName": "ひみつの名前')
    api.leave(room, token)
    api.leave(room, token)
    api.leave(room, "ひみつの名前")
    api.rooms._store = None  # type: ignore[assignment]
    api.create("ひみつの名前", token=token)

    text = json.dumps(log(), ensure_ascii=False)
    assert len(log()) == 8
    for secret in ("ひみつ", token, host["playerToken"]):
        assert secret not in text


def test_a_bug_is_answered_without_a_word_of_it_and_logged_with_its_place(
    api: Api, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "ひみつの名前"

    def bug(*_: object) -> None:
        raise KeyError(name)

    monkeypatch.setattr(api.rooms, "get", bug)
    answer = api.get("BCDFGH")

    assert answer.body == {"error": {"code": "INTERNAL_ERROR", "message": "Internal server error"}}
    (line,) = log()
    assert (line["level"], line["status"], line["code"]) == ("ERROR", 500, "INTERNAL_ERROR")
    assert line["cause"] == "KeyError"
    assert "in bug" in line["trace"][-1]
    assert name not in json.dumps(line, ensure_ascii=False)


@pytest.mark.parametrize(
    "event",
    [
        {"routeKey": []},
        {"routeKey": "GET /rooms/{roomId}", "pathParameters": {"roomId": 5}},
        {"routeKey": "POST /rooms", "headers": "none", "body": "{}"},
        {"routeKey": "POST /rooms", "body": 5},
    ],
)
def test_an_event_that_api_gateway_would_never_send_is_answered_too(
    api: Api, log: Any, event: dict[str, Any]
) -> None:
    response = router.dispatch(event, api.rooms)
    assert json.loads(response["body"])["error"]["code"] == "INTERNAL_ERROR"
    assert log()[0]["trace"]


@FUZZED
@given(event=st.fixed_dictionaries({}, optional=FIELDS) | ANYTHING)
def test_no_event_whatever_ends_the_function_or_shows_what_is_in_it(
    api: Api, log: Any, caplog: pytest.LogCaptureFixture, event: Any
) -> None:
    """Not of API Gateway: then something of ours is connected wrongly, and 500 says so."""
    caplog.clear()
    response = router.dispatch(event, api.rooms)
    error = json.loads(response["body"])["error"] if response["statusCode"] >= 400 else None
    if response["statusCode"] >= 500:
        assert error == {"code": "INTERNAL_ERROR", "message": "Internal server error"}
    assert SECRET not in json.dumps(error)
    (line,) = log()
    assert SECRET not in json.dumps(line)


@pytest.mark.proof
@FUZZED
@given(event=st.fixed_dictionaries({}, optional=OF_API_GATEWAY))
def test_no_event_of_api_gateway_is_an_internal_error(api: Api, event: dict[str, Any]) -> None:
    response = router.dispatch(event, api.rooms)
    assert response["statusCode"] != 500
    if response["statusCode"] >= 400:
        components = openapi.document()["components"]
        schema = {"$ref": "#/components/schemas/ErrorBody", "components": components}
        jsonschema.validate(json.loads(response["body"]), schema)


def test_each_route_documents_codes_once() -> None:
    for route in ROUTES:
        codes = [*route.errors, *COMMON_ERRORS]
        assert len(codes) == len(set(codes))
