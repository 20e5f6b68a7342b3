"""What players are told when DynamoDB cannot be asked, and what then stands in the table."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from lambda_src.rooms.service import Rooms
from lambda_src.rooms.store import CLIENT_CONFIG, WORST_REQUEST_S, RoomStore
from tests.lambda_src.rooms.conftest import Api

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


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
    token: str, code: str, status: int
) -> None:
    client = client_of("http://127.0.0.1:9")
    operations = ("put_item", "get_item", "update_item", "update_item")
    with Stubber(client) as stub:
        for operation in operations:
            stub.add_client_error(operation, code, "secret words", http_status_code=status)
        assert_unavailable(Api(Rooms(RoomStore(client, "rooms"))), token)


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


def test_a_table_that_never_answers_is_unavailable_within_the_time_that_is_promised(
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
    # The bound holds on any machine that schedules threads within two seconds.
    assert len(durations) == 4
    assert max(durations) < WORST_REQUEST_S + 2


def test_a_denied_request_is_an_internal_error_and_keeps_awss_words_to_itself() -> None:
    client = client_of("http://127.0.0.1:9")
    with Stubber(client) as stub:
        stub.add_client_error("get_item", "AccessDeniedException", "arn:aws:iam::secret", 400)
        answer = Api(Rooms(RoomStore(client, "rooms"))).get("BCDFGH")
    assert (answer.status, answer.code) == (500, "INTERNAL_ERROR")
    assert "secret" not in str(answer.body)
