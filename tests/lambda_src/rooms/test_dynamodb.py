"""The API and the table when DynamoDB does not answer."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from awslambdaric.lambda_runtime_log_utils import JsonFormatter
from botocore.config import Config
from botocore.stub import Stubber

from lambda_src.rooms import router
from lambda_src.rooms.dynamodb import CLIENT_CONFIG, MAX_ATTEMPTS
from lambda_src.rooms.service import Rooms
from lambda_src.rooms.store import RoomStore
from tests.lambda_src.rooms.conftest import Api

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
API_LIMIT_S = 30


def client_of(endpoint: str) -> DynamoDBClient:
    """Make the client exactly as the function does."""
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="ap-northeast-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(**CLIENT_CONFIG),
    )


def every_call(api: Api, token: str) -> list[Callable[[], object]]:
    return [
        api.create,
        lambda: api.get("BCDFGH"),
        lambda: api.join("BCDFGH"),
        lambda: api.leave("BCDFGH", token),
    ]


def assert_unavailable(api: Api, token: str) -> None:
    for answer in (
        api.create(),
        api.get("BCDFGH"),
        api.join("BCDFGH"),
        api.leave("BCDFGH", token),
    ):
        assert (answer.status, answer.code) == (503, "UNAVAILABLE")
        assert answer.headers["retry-after"] == "1"
        assert "DynamoDB" not in str(answer.body)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("RequestLimitExceeded", 400),
        ("ResourceNotFoundException", 400),
        ("InternalServerError", 500),
        ("ServiceUnavailable", 503),
    ],
)
def test_throttling_and_loss_of_the_table_are_unavailable(
    token: str, code: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of("http://127.0.0.1:9")
    # After a 5xx the join may have been carried out, so one more request gives the seat back.
    joins = ("update_item", "update_item") if status >= 500 else ("update_item",)
    with Stubber(client) as stub:
        for operation in ("put_item", "get_item", *joins, "update_item"):
            for _ in range(MAX_ATTEMPTS):
                stub.add_client_error(operation, code, "secret words", http_status_code=status)
        assert_unavailable(Api(Rooms(RoomStore(client, "rooms"))), token)
        stub.assert_no_pending_responses()
    assert [line["cause"] for line in log_lines(caplog)] == [code] * 4


def test_a_table_that_does_not_exist_is_unavailable(client: DynamoDBClient, token: str) -> None:
    assert_unavailable(Api(Rooms(RoomStore(client, "no-such-table"))), token)


def test_a_closed_port_is_unavailable(token: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert_unavailable(Api(Rooms(RoomStore(client_of(f"http://127.0.0.1:{port}"), "x"))), token)


@contextmanager
def silent_server() -> Iterator[str]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_table_that_never_answers_is_unavailable_before_the_api_gives_up(
    token: str,
) -> None:
    with silent_server() as endpoint:
        api = Api(Rooms(RoomStore(client_of(endpoint), "rooms")))
        durations = []

        def timed(call: Callable[[], object]) -> None:
            started = time.monotonic()
            call()
            durations.append(time.monotonic() - started)

        threads = [threading.Thread(target=timed, args=(call,)) for call in every_call(api, token)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(durations) == 4
    assert max(durations) < API_LIMIT_S


def log_lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    records = [record for record in caplog.records if record.name == router.__name__]
    return [json.loads(JsonFormatter().format(record)) for record in records]


def log_line(caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    return log_lines(caplog)[-1]


def test_a_denied_request_is_an_internal_error_whose_cause_is_in_the_log_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = client_of("http://127.0.0.1:9")
    with Stubber(client) as stub:
        stub.add_client_error("get_item", "AccessDeniedException", "arn:aws:iam::secret", 400)
        answer = Api(Rooms(RoomStore(client, "rooms"))).get("BCDFGH")
    assert (answer.status, answer.code) == (500, "INTERNAL_ERROR")
    assert "secret" not in str(answer.body)
    assert log_line(caplog)["cause"] == "get_item: AccessDeniedException"


def test_a_request_that_botocore_refuses_is_an_internal_error_that_repeats_no_value(
    client: DynamoDBClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = Api(Rooms(RoomStore(client, ""))).create("ひみつの名前")
    assert answer.code == "INTERNAL_ERROR"
    assert log_line(caplog)["cause"] == "put_item: ParamValidationError"
    assert "ひみつ" not in caplog.text


def test_the_log_says_what_unavailable_comes_from(
    client: DynamoDBClient, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    causes = []
    for store in (
        RoomStore(client, "no-such-table"),
        RoomStore(client_of(f"http://127.0.0.1:{port}"), "rooms"),
    ):
        assert Api(Rooms(store)).get("BCDFGH").code == "UNAVAILABLE"
        causes.append(log_line(caplog)["cause"])
        assert log_line(caplog)["level"] == "ERROR"
    assert causes == ["ResourceNotFoundException", "EndpointConnectionError"]


class Damage:
    """A wire on which answers are damaged."""

    def __init__(self, client: Any, damage: Callable[[bytes], bytes], *, times: int) -> None:
        self._send = client._endpoint.http_session.send
        self._damage = damage
        self._left = times
        client._endpoint.http_session = self

    def send(self, request: Any) -> Any:
        response = self._send(request)
        if self._left > 0:
            self._left -= 1
            response._content = self._damage(response.content)
        return response


def flip_a_bit(content: bytes) -> bytes:
    return bytes([content[0] ^ 1, *content[1:]])


@pytest.mark.parametrize("damage", [flip_a_bit, lambda content: content[:-9], lambda _: b""])
def test_a_damaged_answer_is_never_taken_for_a_room_that_is_not_there(
    api: Api, client: DynamoDBClient, damage: Callable[[bytes], bytes]
) -> None:
    room = api.create().body["roomId"]
    Damage(client, damage, times=1)
    assert api.get(room).body["roomId"] == room
    Damage(client, damage, times=2)
    assert api.get(room).code == "UNAVAILABLE"


def test_a_refusal_that_cannot_be_read_leaks_no_name_into_the_log(
    api: Api, client: DynamoDBClient, caplog: pytest.LogCaptureFixture, token: str
) -> None:
    room = api.create("ひみつの名前").body["roomId"]
    Damage(client, lambda content: content[:-9], times=2)
    assert api.leave(room, token).code == "UNAVAILABLE"
    assert "ひみつ" not in json.dumps(log_line(caplog), ensure_ascii=False)
    assert "ひみつ" not in caplog.text
