"""Bodies as they come: missing, encoded, broken, too large, of the wrong shape."""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.event import HttpApiRequest, http_api_event
from lambda_src.rooms.payload import MAX_BODY_BYTES
from tests.lambda_src.rooms.conftest import CREATE, JOIN, Api


@pytest.mark.parametrize("event", [{}, {"body": None}, {"body": ""}])
def test_no_body_is_missing_body(api: Api, event: dict[str, Any]) -> None:
    answer = api(CREATE, **event)
    assert (answer.status, answer.code) == (400, "MISSING_BODY")
    assert answer.body["error"]["message"] == "Request body is required"


@pytest.mark.parametrize(
    "body",
    ["invalid json", "{", " ", '{"hostName": "\ud800"}', '{"hostName": "\\ud800"}', "[" * 2000]
    + ['{"hostName": NaN}', "{'hostName': 'x'}", '{"hostName": "x"} trailing'],
)
def test_what_is_not_json_is_invalid_json(api: Api, body: str) -> None:
    answer = api(CREATE, body=body)
    assert (answer.status, answer.code) == (400, "INVALID_JSON")
    assert answer.body["error"]["message"] == "Request body must be valid JSON"


def test_a_base64_body_is_decoded(api: Api) -> None:
    body = base64.b64encode(json.dumps({"hostName": "山"}).encode()).decode()
    assert api(CREATE, body=body, isBase64Encoded=True).body["room"]["players"][0]["name"] == "山"


@pytest.mark.parametrize("body", ["not base64!", "e30", base64.b64encode(b"\xff\xfe").decode()])
def test_a_broken_base64_body_is_invalid_json(api: Api, body: str) -> None:
    assert api(CREATE, body=body, isBase64Encoded=True).code == "INVALID_JSON"


def test_a_body_over_the_limit_is_too_large_counted_in_bytes_after_decoding(api: Api) -> None:
    at_limit = json.dumps({"hostName": "x", "filler": ""})
    at_limit = at_limit.replace('""', json.dumps("x" * (MAX_BODY_BYTES - len(at_limit))))
    assert api(CREATE, body=at_limit).status == 200
    encoded = base64.b64encode(at_limit.encode()).decode()
    assert api(CREATE, body=encoded, isBase64Encoded=True).status == 200
    for too_large in (at_limit + " ", "山" * (MAX_BODY_BYTES // 3 + 1)):
        answer = api(CREATE, body=too_large)
        assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("body", ["null", "[]", '"x"', "5", "true"])
def test_json_that_is_no_object_is_a_validation_error(api: Api, body: str) -> None:
    error = api(CREATE, body=body).body["error"]
    assert error == {"code": "VALIDATION_ERROR", "message": "Request body must be a JSON object"}


@pytest.mark.parametrize(
    ("route", "body", "field", "reason"),
    [
        (CREATE, {}, "hostName", "Host name is required"),
        (CREATE, {"hostName": None}, "hostName", "Host name is required"),
        (CREATE, {"hostName": 5}, "hostName", "Host name must be a string"),
        (CREATE, {"hostName": ""}, "hostName", "Host name cannot be empty"),
        (CREATE, {"hostName": "   "}, "hostName", "Host name cannot be empty"),
        (CREATE, {"hostName": "a" * 21}, "hostName", "Host name must be 20 characters or less"),
        (JOIN, {}, "playerName", "Player name is required"),
        (JOIN, {"playerName": ["x"]}, "playerName", "Player name must be a string"),
        (JOIN, {"playername": "x"}, "playerName", "Player name is required"),
    ],
)
def test_details_map_each_field_to_its_reason(
    api: Api, route: str, body: dict[str, Any], field: str, reason: str
) -> None:
    answer = api(route, room="BCDFGH", body=body)
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
    assert answer.body["error"]["message"] == "Invalid request parameters"
    assert answer.body["error"]["details"] == {field: reason}


def test_unknown_fields_are_ignored(api: Api) -> None:
    assert api(CREATE, body={"hostName": "x", "playerId": "me", "roomId": "BCDFGH"}).status == 200


def sent(route: str, body: bytes, content_type: str) -> dict[str, Any]:
    """The event of a body, as API Gateway sends it: text or base64, by its type."""
    method, _, path = route.partition(" ")
    return http_api_event(
        HttpApiRequest(
            route_key=route,
            method=method,
            path=path,
            headers={"content-type": content_type} if content_type else {},
            request_id="7",
            body=body,
        )
    )


NO_TEXT = [
    b"\xff",
    b"Taro\x80",
    "山".encode()[:2],
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    "山田".encode("cp932"),
    "山田".encode("euc-jp"),
]


@pytest.mark.parametrize("name", NO_TEXT)
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "image/png"])
def test_a_name_that_is_no_utf_8_makes_no_room_whatever_the_gateway_makes_of_it(
    api: Api, name: bytes, content_type: str
) -> None:
    event = sent(CREATE, b'{"hostName": "' + name + b'"}', content_type)
    answer = api(CREATE, **{key: event[key] for key in ("body", "isBase64Encoded")})
    is_base64 = content_type in {"", "image/png"}
    assert event["isBase64Encoded"] is is_base64
    expected = "INVALID_JSON" if is_base64 else "VALIDATION_ERROR"
    assert (answer.status, answer.code) == (400, expected)


@pytest.mark.parametrize("name", ["\ufffd", "Taro\ufffd", "\ufffe", "a\uffff", "\U0010ffff"])
@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "as it is"])
def test_what_stands_for_no_text_is_no_name_however_it_comes(
    api: Api, name: str, ascii_only: bool
) -> None:
    body = json.dumps({"playerName": name}, ensure_ascii=ascii_only)
    encoded = base64.b64encode(body.encode()).decode()
    for event in ({"body": body}, {"body": encoded, "isBase64Encoded": True}):
        answer = api(JOIN, room="BCDFGH", **event)
        assert answer.body["error"]["details"] == {
            "playerName": "Player name must not contain control characters, U+FFFD or noncharacters"
        }


@pytest.mark.proof
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.binary(min_size=1).filter(lambda name: not {34, 92} & {*name}), in_base64=st.booleans()
)
def test_no_bytes_make_a_name_but_utf_8(api: Api, name: bytes, in_base64: bool) -> None:
    event = sent(CREATE, b'{"hostName": "' + name + b'"}', "" if in_base64 else "application/json")
    answer = api(CREATE, **{key: event[key] for key in ("body", "isBase64Encoded")})
    try:
        name.decode()
    except UnicodeDecodeError:
        assert answer.status == 400


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.one_of(st.text(), st.binary().map(lambda data: base64.b64encode(data).decode())))
def test_no_body_whatever_makes_a_server_error(api: Api, body: str) -> None:
    for encoded in (False, True):
        assert api(JOIN, room="BCDFGH", body=body, isBase64Encoded=encoded).status < 500
