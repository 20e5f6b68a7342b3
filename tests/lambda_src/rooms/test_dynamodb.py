"""The API and the table when DynamoDB does not answer."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from awslambdaric.lambda_runtime_log_utils import JsonFormatter

from lambda_src.rooms import router
from lambda_src.rooms.dynamodb import MAX_ATTEMPTS, DynamoDb, RequestError
from lambda_src.rooms.errors import RoomsError
from lambda_src.rooms.service import Rooms
from lambda_src.rooms.store import RoomStore
from lambda_src.rooms.transport import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from tests.lambda_src.rooms.conftest import Api
from tests.support.rooms.faulty_table import (
    Fault,
    FaultyTable,
    cut,
    faulty_table,
    sends,
    whole_answer,
)
from tests.support.rooms.wire import Wire

pytestmark = pytest.mark.usefixtures("no_pauses")

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
API_LIMIT_S = 30


PATIENT_S = 60
"""For an attempt that does not fail, however slow this machine is."""


def client_of(endpoint: str, *, attempt_s: float = CONNECT_TIMEOUT_S + READ_TIMEOUT_S) -> DynamoDb:
    """Make the client as the function does, or with other patience."""
    return DynamoDb(Wire(endpoint, attempt_s=attempt_s))


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


PASSING = [
    ("ThrottlingException", 400),
    ("ProvisionedThroughputExceededException", 400),
    ("RequestLimitExceeded", 400),
    ("LimitExceededException", 400),
    ("ResourceInUseException", 400),
    ("ResourceNotFoundException", 400),
    ("TransactionConflictException", 400),
    ("TransactionInProgressException", 400),
    ("ReplicatedWriteConflictException", 400),
    ("InvalidSignatureException", 400),
    ("RequestExpired", 400),
    ("RequestTimeTooSkewed", 403),
    ("ExpiredTokenException", 400),
    ("UnrecognizedClientException", 400),
    ("InvalidClientTokenId", 403),
    ("RequestTimeoutException", 408),
    ("RequestAbortedException", 400),
    ("TooManyRequestsException", 429),
    ("NobodyHasThoughtOfItYetException", 400),
]
LASTING = [
    ("AccessDeniedException", 400),
    ("AccessDeniedException", 403),
    ("ValidationException", 400),
    ("SerializationException", 400),
    ("UnknownOperationException", 404),
    ("MissingAuthenticationTokenException", 400),
    ("IncompleteSignatureException", 400),
    ("RequestEntityTooLargeException", 413),
]
BROKEN = [
    ("InternalServerError", 500),
    ("InternalFailure", 500),
    ("ServiceUnavailable", 503),
    ("ServiceUnavailableException", 503),
    ("ThrottlingException", 503),
]


def refusal(code: str, status: int, checksum: str | None) -> Fault:
    body = json.dumps({"__type": f"com.amazon.coral.service#{code}", "message": "secret words"})
    return sends(whole_answer(status, body.encode(), checksum=checksum))


@pytest.fixture(scope="module")
def refusing() -> Iterator[FaultyTable]:
    with faulty_table(None) as table:
        yield table


@pytest.fixture(scope="module")
def refused(refusing: FaultyTable) -> DynamoDb:
    return client_of(refusing.endpoint, attempt_s=PATIENT_S)


def get(client: DynamoDb) -> Any:
    return client.request("GetItem", TableName="rooms", Key={"roomId": {"S": "BCDFGH"}})


checksums = pytest.mark.parametrize("checksum", ["", None], ids=["with checksum", "without"])


@checksums
@pytest.mark.parametrize(("code", "status"), PASSING)
def test_what_passes_by_itself_is_tried_again_and_then_unavailable(
    refusing: FaultyTable, refused: DynamoDb, code: str, status: int, checksum: str | None
) -> None:
    refusing.serves(whole_answer(200, b"{}"))
    refusal_of_it = refusal(code, status, checksum)
    refusing.does(refusal_of_it)
    assert "Item" not in get(refused)
    refusing.does(refusal_of_it, refusal_of_it)
    with pytest.raises(RoomsError) as error:
        get(refused)
    assert (error.value.cause, error.value.uncertain) == (code, False)


@checksums
@pytest.mark.parametrize(("code", "status"), LASTING)
def test_what_never_passes_is_tried_once(
    refusing: FaultyTable, refused: DynamoDb, code: str, status: int, checksum: str | None
) -> None:
    refusing.serves(whole_answer(200, b"{}"))
    refusing.does(refusal(code, status, checksum))
    with pytest.raises(RequestError, match=f"GetItem: {code}"):
        get(refused)


@checksums
@pytest.mark.parametrize(("code", "status"), BROKEN)
def test_what_dynamodb_fails_at_may_have_been_done(
    refusing: FaultyTable, refused: DynamoDb, code: str, status: int, checksum: str | None
) -> None:
    refusing.does(*[refusal(code, status, checksum)] * 2)
    with pytest.raises(RoomsError) as error:
        get(refused)
    assert (error.value.cause, error.value.uncertain) == (code, True)


def test_a_refusal_after_a_lost_answer_leaves_the_write_uncertain(
    refusing: FaultyTable, refused: DynamoDb
) -> None:
    refusing.does(cut(0), refusal("ThrottlingException", 400, ""))
    with pytest.raises(RoomsError) as error:
        get(refused)
    assert (error.value.cause, error.value.uncertain) == ("ThrottlingException", True)


def test_a_lasting_refusal_after_a_lost_answer_leaves_the_write_uncertain_too(
    refusing: FaultyTable, refused: DynamoDb
) -> None:
    refusing.does(cut(0), refusal("AccessDeniedException", 400, ""))
    with pytest.raises(RoomsError) as error:
        get(refused)
    assert (error.value.cause, error.value.uncertain) == ("AccessDeniedException", True)


@pytest.mark.parametrize(
    "named",
    [
        "com.amazonaws.dynamodb.v20120810#ThrottlingException",
        "ThrottlingException:http://internal.amazon.com/coral/com.amazon.coral.service/",
        "com.amazon.coral.service#ThrottlingException:http://internal.amazon.com/#x",
    ],
)
def test_an_error_is_known_by_its_name_alone(
    refusing: FaultyTable, refused: DynamoDb, named: str
) -> None:
    answer = sends(whole_answer(400, json.dumps({"__type": named}).encode()))
    refusing.does(answer, answer)
    with pytest.raises(RoomsError) as error:
        get(refused)
    assert error.value.cause == "ThrottlingException"


@pytest.mark.parametrize(
    ("code", "status"), [PASSING[0], ("ResourceNotFoundException", 400), *BROKEN[:3]]
)
def test_throttling_and_loss_of_the_table_are_unavailable(
    *,
    refusing: FaultyTable,
    token: str,
    code: str,
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusing.always(refusal(code, status, ""))
    wire = Wire(refusing.endpoint)
    assert_unavailable(Api(Rooms(RoomStore(DynamoDb(wire), "rooms"))), token)
    refusing.does()
    # After a 5xx it may have been carried out, so one more request takes it back.
    twice = 2 if status >= 500 else 1
    requests = ["PutItem"] * twice + ["GetItem"] + ["UpdateItem"] * twice + ["GetItem"]
    assert wire.sent == [request for request in requests for _ in range(MAX_ATTEMPTS)]
    assert [line["cause"] for line in log_lines(caplog)] == [code] * 4


def test_a_table_that_does_not_exist_is_unavailable(own_client: DynamoDb, token: str) -> None:
    assert_unavailable(Api(Rooms(RoomStore(own_client, "no-such-table"))), token)


def test_a_closed_port_is_unavailable(closed_port: int, token: str) -> None:
    client = client_of(f"http://127.0.0.1:{closed_port}")
    assert_unavailable(Api(Rooms(RoomStore(client, "x"))), token)


@contextmanager
def silent_server() -> Iterator[str]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.proof
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
    refusing: FaultyTable, refused: DynamoDb, caplog: pytest.LogCaptureFixture
) -> None:
    refusing.does(refusal("AccessDeniedException", 400, ""))
    answer = Api(Rooms(RoomStore(refused, "rooms"))).get("BCDFGH")
    assert (answer.status, answer.code) == (500, "INTERNAL_ERROR")
    assert "secret" not in str(answer.body)
    assert "secret" not in caplog.text
    assert log_line(caplog)["cause"] == "GetItem: AccessDeniedException"


def test_a_request_that_is_wrong_is_an_internal_error_that_repeats_no_value(
    own_client: DynamoDb, caplog: pytest.LogCaptureFixture
) -> None:
    answer = Api(Rooms(RoomStore(own_client, ""))).create("ひみつの名前")
    assert answer.code == "INTERNAL_ERROR"
    assert log_line(caplog)["cause"] == "PutItem: ValidationException"
    assert "ひみつ" not in caplog.text


def test_the_log_says_what_unavailable_comes_from(
    own_client: DynamoDb, closed_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    causes = []
    for store in (
        RoomStore(own_client, "no-such-table"),
        RoomStore(client_of(f"http://127.0.0.1:{closed_port}"), "rooms"),
    ):
        assert Api(Rooms(store)).get("BCDFGH").code == "UNAVAILABLE"
        causes.append(log_line(caplog)["cause"])
        assert log_line(caplog)["level"] == "ERROR"
    assert causes == ["ResourceNotFoundException", "EndpointConnectionError"]
