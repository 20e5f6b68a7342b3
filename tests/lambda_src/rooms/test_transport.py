"""Requests to the table are over in time, whatever comes back, and leave no broken connection."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from lambda_src.rooms import dynamodb
from lambda_src.rooms.connection import MAX_ANSWER_BYTES, Connection
from lambda_src.rooms.dynamodb import WORST_REQUEST_S, DynamoDb
from lambda_src.rooms.errors import ErrorCode, RoomsError
from lambda_src.rooms.transport import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from tests.lambda_src.rooms.test_dynamodb import API_LIMIT_S, PATIENT_S, client_of
from tests.support.rooms.faulty_table import (
    Fault,
    FaultyTable,
    drips,
    faulty_table,
    keeps_silent,
    repeats,
    sends,
    whole_answer,
)

if TYPE_CHECKING:
    from tests.support.imagecheck.certificate import Certificate

pytestmark = pytest.mark.usefixtures("no_pauses")

ITEM = {"roomId": {"S": "BCDFGH"}, "note": {"S": "x" * 300}}
WHOLE = whole_answer(200, b'{"Item":{"roomId":{"S":"BCDFGH"},"note":{"S":"' + b"x" * 300 + b'"}}}')
OTHER = whole_answer(200, b'{"Item":{"roomId":{"S":"ZZZZZZ"}}}')
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\n{\r\n" * 100 + b"0\r\n\r\n"
)
PAUSE_S = 0.1
"""Between two bytes that drip: far from a silence, and all of them take half a minute."""
ATTEMPT_S = 0.5


def in_chunks(whole: bytes, size: int) -> bytes:
    head, _, body = whole.partition(b"\r\n\r\n")
    parts = (body[start : start + size] for start in range(0, len(body), size))
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    fields = head.replace(b"Content-Length", b"X-Length")
    return fields + b"\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def dripping(content: bytes, start: int) -> Fault:
    drip = drips(start, pause_s=PAUSE_S)
    return lambda _answer, connection, table: drip(content, connection, table)


NEVER_ENDS: dict[str, Fault] = {
    "silence": keeps_silent,
    "a dripping status": dripping(WHOLE, 0),
    "a dripping head": dripping(WHOLE, 17),
    "a dripping body": dripping(WHOLE, len(WHOLE) - 300),
    "dripping chunks": dripping(CHUNKED, len(CHUNKED) - 400),
    "a dripping chunk size": repeats(CHUNKED[:49], b"0", pause_s=PAUSE_S),
    "a dripping extension of a chunk": repeats(CHUNKED[:49] + b"1;", b"x", pause_s=PAUSE_S),
    "endless headers": repeats(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n", pause_s=PAUSE_S),
    "endless continues": repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause_s=PAUSE_S),
    "a flood of continues": repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "a flood of chunks": repeats(CHUNKED[:49], b"400\r\n" + b"x" * 1024 + b"\r\n"),
    "a flood after no length": repeats(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
    "a flood after a huge length": repeats(
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", b"x" * 65536
    ),
    "a flood in a header": repeats(b"HTTP/1.1 200 OK\r\nx: ", b"x" * 65536),
    "a flood of trailers": repeats(CHUNKED[:-2], b"x: y\r\n" * 1000),
}


def get(client: DynamoDb) -> Any:
    return client.request("GetItem", TableName="rooms", Key={"roomId": {"S": "BCDFGH"}})


def failure(client: DynamoDb) -> RoomsError:
    with pytest.raises(RoomsError) as error:
        get(client)
    return error.value


@pytest.mark.proof
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_answer_that_never_ends_is_given_up(scheme: str, trusted: Certificate) -> None:
    tls = trusted.tls() if scheme == "https" else None
    with ExitStack() as servers, ThreadPoolExecutor(len(NEVER_ENDS)) as pool:
        failures = {}
        for name, fault in NEVER_ENDS.items():
            server = servers.enter_context(faulty_table(None, tls=tls))
            server.always(fault)
            client = client_of(server.endpoint, attempt_s=ATTEMPT_S)
            failures[name] = pool.submit(failure, client)
        codes = {name: failed.result().code for name, failed in failures.items()}
    assert codes == dict.fromkeys(NEVER_ENDS, ErrorCode.UNAVAILABLE)


@pytest.mark.proof
def test_an_answer_that_drips_over_a_connection_that_is_known_is_given_up(
    server: FaultyTable,
) -> None:
    server.serves(WHOLE)
    client = client_of(server.endpoint, attempt_s=PATIENT_S)
    assert get(client)["Item"] == ITEM
    server.always(dripping(WHOLE, 60))
    transport = client._transport
    transport.read_timeout, transport.connect_timeout = 0, ATTEMPT_S
    assert failure(client).uncertain
    transport.read_timeout = PATIENT_S
    server.does()
    assert get(client)["Item"] == ITEM
    assert server.connections[0] == 2


@pytest.mark.proof
def test_the_longest_request_is_as_long_as_the_service_reckons(server: FaultyTable) -> None:
    drip = dripping(WHOLE, 0)
    server.always(drip)
    client = client_of(server.endpoint)
    started = time.monotonic()
    assert failure(client).code is ErrorCode.UNAVAILABLE
    assert time.monotonic() - started < API_LIMIT_S
    attempt_s = CONNECT_TIMEOUT_S + READ_TIMEOUT_S
    assert dynamodb.MAX_ATTEMPTS * attempt_s + 0.2 == pytest.approx(WORST_REQUEST_S)


def test_one_connection_brings_one_request_after_the_other(server: FaultyTable) -> None:
    server.serves(WHOLE)
    client = client_of(server.endpoint, attempt_s=PATIENT_S)
    for _ in range(5):
        assert get(client)["Item"] == ITEM
    assert server.connections == [5]


@pytest.mark.parametrize(
    "left_over",
    [WHOLE, b"x", WHOLE[:-1], b"x" * (io.DEFAULT_BUFFER_SIZE - len(OTHER)) + WHOLE],
    ids=["an answer", "a byte", "half an answer", "an answer behind what is read at once"],
)
def test_what_comes_behind_an_answer_is_not_the_next_answer(
    server: FaultyTable, left_over: bytes
) -> None:
    server.serves(OTHER)
    server.open_after_faults = True
    server.does(sends(OTHER + left_over))
    client = client_of(server.endpoint, attempt_s=PATIENT_S)
    for _ in range(3):
        assert get(client)["Item"] == {"roomId": {"S": "ZZZZZZ"}}


def test_a_damaged_answer_ends_its_connection(server: FaultyTable) -> None:
    server.serves(WHOLE)
    server.open_after_faults = True
    client = client_of(server.endpoint, attempt_s=PATIENT_S)
    server.does(sends(WHOLE.replace(b"ZZ", b"xx").replace(b"xxx", b"xxy")))
    assert get(client)["Item"] == ITEM
    assert server.connections == [1, 1]


@pytest.mark.parametrize(
    "answer",
    [
        whole_answer(200, b'{"Item":{"d":{"B":"x"}}}'),
        whole_answer(500, b'{"__type":"InternalServerError"}'),
        whole_answer(400, b'{"__type":"ThrottlingException"}'),
    ],
    ids=["that cannot be read", "of a server that fails", "that refuses"],
)
def test_no_request_has_the_connection_of_one_that_failed(
    server: FaultyTable, answer: bytes
) -> None:
    server.serves(WHOLE)
    # So it is not known yet whether the table closes its connection after such an answer.
    server.open_after_faults = True
    client = client_of(server.endpoint, attempt_s=PATIENT_S)
    server.does(sends(answer), sends(answer))
    failure(client)
    for _ in range(2):
        assert get(client)["Item"] == ITEM
    assert server.connections == [1, 1, 2]


def test_a_connection_that_the_table_closed_meanwhile_is_replaced(server: FaultyTable) -> None:
    server.serves(WHOLE)
    client = client_of(server.endpoint, attempt_s=PATIENT_S)
    server.does(sends(WHOLE))
    for _ in range(2):
        assert get(client)["Item"] == ITEM
    assert server.connections == [1, 1]


def test_a_connection_that_died_while_the_environment_was_frozen_costs_no_request(
    server: FaultyTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen machine hears of no end: only the next request meets it."""
    server.serves(WHOLE)
    client = client_of(server.endpoint, attempt_s=PATIENT_S)
    server.does(sends(WHOLE))
    monkeypatch.setattr(Connection, "is_stale", lambda connection: connection.sock is None)
    for _ in range(2):
        assert get(client)["Item"] == ITEM
    assert sum(server.connections) >= 2


@pytest.mark.proof
def test_many_threads_share_a_client(server: FaultyTable) -> None:
    server.serves(WHOLE)
    client = client_of(server.endpoint, attempt_s=PATIENT_S)
    with ThreadPoolExecutor(40) as threads:
        answers = list(threads.map(lambda _: get(client)["Item"], range(200)))
    assert answers == [ITEM] * 200
    assert sum(server.connections) == 200


def test_an_item_of_the_largest_size_is_an_answer(server: FaultyTable) -> None:
    body = b'{"Item":{"a":{"S":"' + b"x" * 400_000 + b'"}}}'
    assert len(body) < MAX_ANSWER_BYTES
    server.serves(whole_answer(200, body))
    assert get(client_of(server.endpoint, attempt_s=PATIENT_S))["Item"] == {
        "a": {"S": "x" * 400_000}
    }


LONG = b'{"Item":{"a":{"S":"' + b"x" * MAX_ANSWER_BYTES + b'"}}}'


@pytest.mark.parametrize(
    "content",
    [
        whole_answer(200, LONG),
        in_chunks(whole_answer(200, LONG), 65536),
        b"HTTP/1.1 100 Continue\r\n\r\n" * (MAX_ANSWER_BYTES // 25 + 1) + WHOLE,
    ],
    ids=["by its length", "in chunks", "before it begins"],
)
def test_an_answer_that_is_longer_than_any_item_is_none(
    server: FaultyTable, content: bytes
) -> None:
    server.serves(content)
    assert failure(client_of(server.endpoint, attempt_s=PATIENT_S)).uncertain


def test_an_answer_in_chunks_is_an_answer(server: FaultyTable) -> None:
    server.serves(in_chunks(WHOLE, 1))
    client = client_of(server.endpoint, attempt_s=PATIENT_S)
    for _ in range(2):
        assert get(client)["Item"] == ITEM
    assert server.connections == [2]


def test_a_fault_of_ours_before_anything_is_sent_stays_one(server: FaultyTable) -> None:
    server.serves(WHOLE)
    client = client_of(server.endpoint, attempt_s=PATIENT_S)
    assert get(client)["Item"] == ITEM
    with pytest.raises(TypeError):
        client.request("GetItem", TableName="rooms", Key={"roomId": object()})
    assert get(client)["Item"] == ITEM
    assert server.connections == [2]
