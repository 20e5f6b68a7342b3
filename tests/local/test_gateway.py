"""A deployed HTTP API over HTTP: routes, events, responses, errors, CORS as on AWS."""

import base64
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from lambda_runtime.runtime_api import FunctionError
from local.deployed import DeployedError, read_api
from local.emulated_aws.server import ACCOUNT_ID
from local.gateway import MAX_BODY_BYTES, PortInUseError, reserve_port, serving
from local.progress import SilentProgress
from tests.local.conftest import Client

ARN = "arn:aws:lambda:ap-northeast-1:123456789012:function:rooms:live"
ROUTES = (
    "POST /rooms",
    "GET /rooms/{roomId}",
    "DELETE /rooms/{roomId}/leave",
    "ANY /any",
    "GET /files/{path+}",
)
CORS = {
    "AllowOrigins": ["https://play.example", "http://*"],
    "AllowMethods": ["GET", "POST"],
    "AllowHeaders": ["authorization"],
    "ExposeHeaders": ["etag"],
    "AllowCredentials": True,
    "MaxAge": 600,
}


@dataclass
class Function:
    """Stands where the function does: notes events, answers what the test wants."""

    answer: Any = field(default_factory=lambda: {"statusCode": 200, "body": "ok"})
    events: list[dict[str, Any]] = field(default_factory=list)
    until: threading.Event | None = None

    def __call__(self, arn: str, event: bytes) -> bytes | FunctionError:
        assert arn == ARN
        self.events.append(json.loads(event))
        if self.until is not None:
            self.until.wait(10)
        if isinstance(self.answer, bytes | FunctionError):
            return self.answer
        return json.dumps(self.answer).encode()


class Problems(SilentProgress):
    """Keeps what the gateway says of failures."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def problem(self, text: str) -> None:
        self.texts.append(text)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def cors(self) -> dict[str, str]:
        return {k: v for k, v in self.headers.items() if k.startswith("access-control-")}


class Api:
    """An API that a test deploys route by route, and a client for it."""

    def __init__(self, aws: Client, stack: ExitStack) -> None:
        self.gateway = aws("apigatewayv2")
        self.id = self.gateway.create_api(Name="rooms", ProtocolType="HTTP")["ApiId"]
        self.gateway.create_stage(ApiId=self.id, StageName="$default", AutoDeploy=True)
        self.function = Function()
        self.problems = Problems()
        self._stack = stack
        self._port = 0

    def route(self, *keys: str, timeout_ms: int = 30_000) -> None:
        integration = self.gateway.create_integration(
            ApiId=self.id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=ARN,
            PayloadFormatVersion="2.0",
            TimeoutInMillis=timeout_ms,
        )
        for key in keys:
            target = f"integrations/{integration['IntegrationId']}"
            self.gateway.create_route(ApiId=self.id, RouteKey=key, Target=target)

    def serve(self) -> "Api":
        api = read_api(self.gateway, self.id, account_id=ACCOUNT_ID)
        listener = self._stack.enter_context(reserve_port(0))
        self._port = listener.getsockname()[1]
        self._stack.enter_context(
            serving(lambda: api, self.function, listener=listener, progress=self.problems)
        )
        return self

    def call(
        self, method: str, path: str, body: bytes | None = None, *headers: tuple[str, str]
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        connection.putrequest(method, path)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        found = {name.lower(): value for name, value in response.getheaders()}
        cookies = response.headers.get_all("set-cookie", [])
        return Answer(response.status, found, cookies, content)

    def event(self, *arguments: Any) -> dict[str, Any]:
        self.call(*arguments)
        return self.function.events[-1]


@pytest.fixture
def api(aws: Client) -> Iterator[Api]:
    with ExitStack() as stack:
        yield Api(aws, stack)


@pytest.fixture
def served(api: Api) -> Api:
    api.route(*ROUTES)
    return api.serve()


@pytest.fixture
def with_cors(api: Api) -> Api:
    api.gateway.update_api(ApiId=api.id, CorsConfiguration=CORS)
    api.route(*ROUTES)
    return api.serve()


# Events


def test_an_event_has_every_field_of_format_2(served: Api) -> None:
    event = served.event(
        "POST", "/rooms?a=1&b=%E3%81%B2&a=2&c=", '{"hostName": "ひま"}'.encode(),
        ("Content-Type", "application/json"), ("User-Agent", "test"),
        ("X-Twice", "1"), ("X-Twice", "2"), ("Cookie", "s=1; t=2"),
    )  # fmt: skip
    headers, context = event.pop("headers"), event.pop("requestContext")
    assert event == {
        "version": "2.0",
        "routeKey": "POST /rooms",
        "rawPath": "/rooms",
        "rawQueryString": "a=1&b=%E3%81%B2&a=2&c=",
        "cookies": ["s=1", "t=2"],
        "queryStringParameters": {"a": "1,2", "b": "ひ", "c": ""},
        "body": '{"hostName": "ひま"}',
        "isBase64Encoded": False,
    }
    assert headers["content-type"] == "application/json"
    assert headers["x-twice"] == "1,2"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert {"host", "x-amzn-trace-id", "x-forwarded-port", "x-forwarded-proto"} < set(headers)
    assert "cookie" not in headers
    assert context.pop("http") == {
        "method": "POST",
        "path": "/rooms",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "test",
    }
    assert isinstance(context.pop("timeEpoch"), int)
    assert context.pop("time").endswith(" +0000")
    assert len(context.pop("requestId")) == 16
    assert context == {
        "accountId": ACCOUNT_ID,
        "apiId": served.id,
        "domainName": f"{served.id}.execute-api.ap-northeast-1.amazonaws.com",
        "domainPrefix": served.id,
        "routeKey": "POST /rooms",
        "stage": "$default",
    }


def test_what_would_be_empty_is_left_out(served: Api) -> None:
    event = served.event("GET", "/any")
    optional = {"body", "cookies", "pathParameters", "queryStringParameters", "stageVariables"}
    assert not optional & set(event)
    assert event["isBase64Encoded"] is False
    assert event["rawQueryString"] == ""


def test_path_parameters_are_decoded(served: Api) -> None:
    event = served.event("GET", "/rooms/%EF%BC%A1B%20C")
    assert event["pathParameters"] == {"roomId": "ＡB C"}
    assert event["rawPath"] == "/rooms/ＡB C"


@pytest.mark.parametrize(
    ("content_type", "is_text"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("text/plain", True),
        ("application/x-www-form-urlencoded", False),
        ("application/octet-stream", False),
        (None, False),
    ],
)
def test_bodies_are_text_or_base64_by_their_type(
    served: Api, content_type: str | None, is_text: bool
) -> None:
    headers = [("Content-Type", content_type)] if content_type else []
    event = served.event("POST", "/rooms", "{ひ}".encode(), *headers)
    assert event["isBase64Encoded"] is not is_text
    sent = event["body"].encode() if is_text else base64.b64decode(event["body"])
    assert sent.decode() == "{ひ}"


def test_bytes_of_a_text_that_are_no_utf_8_are_marked_as_such(served: Api) -> None:
    headers = ("Content-Type", "application/json")
    event = served.event("POST", "/rooms", b'{"hostName": "\xff"}', headers)
    assert (event["body"], event["isBase64Encoded"]) == ('{"hostName": "\ufffd"}', False)


# Routing


@pytest.mark.parametrize(
    ("method", "path", "key"),
    [
        ("POST", "/rooms", "POST /rooms"),
        ("GET", "/rooms/ABC", "GET /rooms/{roomId}"),
        ("DELETE", "/rooms/ABC/leave", "DELETE /rooms/{roomId}/leave"),
        ("PUT", "/any", "ANY /any"),
        ("OPTIONS", "/any", "ANY /any"),
        ("GET", "/files/a/b", "GET /files/{path+}"),
    ],
)
def test_a_request_takes_its_route(served: Api, method: str, path: str, key: str) -> None:
    event = served.event(method, path)
    assert event["routeKey"] == event["requestContext"]["routeKey"] == key


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nowhere"),
        ("PUT", "/rooms"),
        ("HEAD", "/rooms/ABC"),
        ("OPTIONS", "/rooms"),
        ("POST", "/rooms/"),
        ("GET", "/rooms//leave"),
        ("GET", "/rooms/A/B"),
    ],
)
def test_a_request_without_a_route_is_404(served: Api, method: str, path: str) -> None:
    answer = served.call(method, path)
    assert answer.status == 404
    if method != "HEAD":
        assert answer.json == {"message": "Not Found"}
    assert served.function.events == []


def test_the_default_route_takes_the_rest(api: Api) -> None:
    api.route("GET /rooms/{roomId}", "$default")
    api.serve()
    assert api.event("GET", "/rooms/A")["routeKey"] == "GET /rooms/{roomId}"
    assert api.event("PUT", "/rooms/A")["routeKey"] == "$default"


def test_a_route_without_an_integration_is_told_before_serving(api: Api) -> None:
    api.gateway.create_route(ApiId=api.id, RouteKey="GET /rooms")
    with pytest.raises(DeployedError, match="route GET /rooms has no integration"):
        api.serve()


def test_an_api_without_its_default_stage_is_told_before_serving(api: Api) -> None:
    api.gateway.delete_stage(ApiId=api.id, StageName="$default")
    with pytest.raises(DeployedError, match=r"no \$default stage"):
        api.serve()


# Responses


def test_status_headers_cookies_and_body_are_the_functions(served: Api) -> None:
    served.function.answer = {
        "statusCode": 201,
        "headers": {"Content-Type": "application/json", "X-Number": 3, "X-True": True},
        "cookies": ["a=1; Secure", "b=2"],
        "body": '{"name": "ひま"}',
    }
    answer = served.call("GET", "/any")
    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"
    assert (answer.headers["x-number"], answer.headers["x-true"]) == ("3", "true")
    assert answer.cookies == ["a=1; Secure", "b=2"]
    assert answer.json == {"name": "ひま"}
    request_id = served.function.events[0]["requestContext"]["requestId"]
    assert answer.headers["apigw-requestid"] == request_id


def test_a_base64_body_is_decoded(served: Api) -> None:
    served.function.answer = {"statusCode": 200, "body": "/wA=", "isBase64Encoded": True}
    assert served.call("GET", "/any").body == b"\xff\x00"


def test_a_body_without_a_type_is_plain_text(served: Api) -> None:
    assert served.call("GET", "/any").headers["content-type"] == "text/plain;charset=UTF-8"


def test_304_has_headers_and_no_body(served: Api) -> None:
    served.function.answer = {"statusCode": 304, "headers": {"etag": '"1"'}}
    answer = served.call("GET", "/any")
    assert (answer.status, answer.headers["etag"], answer.body) == (304, '"1"', b"")


@pytest.mark.parametrize(
    ("answer", "body"), [({"a": "ひ"}, '{"a": "ひ"}'), ("plain", "plain"), (None, "null")]
)
def test_without_a_status_the_answer_is_the_body_of_a_200(
    served: Api, answer: object, body: str
) -> None:
    served.function.answer = answer
    found = served.call("GET", "/any")
    assert (found.status, found.body.decode()) == (200, body)
    assert found.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "answer",
    [
        FunctionError("ValueError", "secret"),
        {"statusCode": "many"},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "headers": {"x": []}},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
        b"not json",
    ],
)
def test_errors_and_malformed_answers_are_500_and_told_to_the_developer(
    served: Api, answer: object
) -> None:
    served.function.answer = answer
    found = served.call("GET", "/any")
    assert (found.status, found.json) == (500, {"message": "Internal Server Error"})
    assert len(served.problems.texts) == 1


def test_no_answer_in_the_integrations_time_is_503(api: Api) -> None:
    api.route("GET /any", timeout_ms=100)
    api.function.until = threading.Event()
    answer = api.serve().call("GET", "/any")
    api.function.until.set()
    assert (answer.status, answer.json) == (503, {"message": "Service Unavailable"})


def test_a_body_over_the_limit_is_413(served: Api) -> None:
    at_limit = served.call("POST", "/rooms", b" " * MAX_BODY_BYTES)
    over = served.call("POST", "/rooms", b" " * (MAX_BODY_BYTES + 1))
    assert at_limit.status == 200
    assert (over.status, over.json) == (413, {"message": "Request Entity Too Large"})
    assert len(served.function.events) == 1


# CORS

ORIGIN = ("Origin", "https://play.example")
ASKS = ("Access-Control-Request-Method", "DELETE")
ALLOWED = {
    "access-control-allow-origin": "https://play.example",
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "etag",
}


@pytest.mark.parametrize("path", ["/rooms", "/nowhere", "/any"])
def test_the_gateway_answers_a_preflight_itself(with_cors: Api, path: str) -> None:
    answer = with_cors.call("OPTIONS", path, None, ORIGIN, ASKS)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.cors == ALLOWED | {
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "authorization",
        "access-control-max-age": "600",
    }
    assert with_cors.function.events == []


@pytest.mark.parametrize("headers", [(), (ORIGIN,), (ASKS,), (("Origin", "https://b"), ASKS)])
def test_what_is_no_preflight_from_an_allowed_origin_gets_no_headers(
    with_cors: Api, headers: tuple[tuple[str, str], ...]
) -> None:
    answer = with_cors.call("OPTIONS", "/rooms", None, *headers)
    assert (answer.status, answer.cors) == (204, {})


def test_the_functions_own_cors_headers_are_replaced(with_cors: Api) -> None:
    with_cors.function.answer["headers"] = {"Access-Control-Allow-Origin": "*", "x-kept": "1"}
    answer = with_cors.call("GET", "/any", None, ORIGIN)
    assert answer.cors == ALLOWED
    assert answer.headers["x-kept"] == "1"
    assert with_cors.call("GET", "/any").cors == {}
    assert with_cors.call("GET", "/any", None, ("Origin", "https://evil.example")).cors == {}


def test_an_origin_may_be_allowed_by_its_scheme(with_cors: Api) -> None:
    answer = with_cors.call("GET", "/any", None, ("Origin", "http://localhost:5173"))
    assert answer.cors["access-control-allow-origin"] == "http://localhost:5173"


def test_without_a_configuration_the_functions_headers_stand(served: Api) -> None:
    served.function.answer["headers"] = {"access-control-allow-origin": "*"}
    answer = served.call("GET", "/any", None, ORIGIN)
    assert answer.cors == {"access-control-allow-origin": "*"}


def test_a_star_is_answered_as_a_star(api: Api) -> None:
    api.gateway.update_api(ApiId=api.id, CorsConfiguration={"AllowOrigins": ["*"]})
    api.route("GET /any")
    answer = api.serve().call("GET", "/any", None, ORIGIN)
    assert answer.cors == {"access-control-allow-origin": "*"}


# Ports


def test_a_port_in_use_is_told_before_anything_else() -> None:
    with reserve_port(0) as taken, pytest.raises(PortInUseError, match="is not free"):
        reserve_port(taken.getsockname()[1])
