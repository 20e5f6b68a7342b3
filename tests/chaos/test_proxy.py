"""The proxy does to a request what the fault says, and knows what the table did."""

import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from chaos.faults import FAULTS, NO_FAULT
from chaos.message import Request, receive_request, receive_response
from chaos.proxy import Injection, ProcessControl, Proxy

BODY = b'{"TableName":"rooms","Item":{"roomId":{"S":"BCDF23"}}}'
HEAD = b"POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.PutItem\r\nContent-Length: %d\r\n\r\n"
REQUEST = HEAD % len(BODY) + BODY


def request(action: str, **content: str) -> Request:
    """A request of DynamoDB's JSON protocol, as the proxy receives it."""
    body = json.dumps({"Key": {"roomId": {"S": "BCDF23"}}, **content}).encode()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(HEAD.replace(b"PutItem", action.encode()) % len(body) + body)
        found = receive_request(theirs)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("action", "expression", "changes_seats"),
    [
        ("UpdateItem", "SET players.#p = :player, version = version + :one", True),
        ("UpdateItem", "SET version = version + :one REMOVE players.#p, seq.#p", True),
        ("UpdateItem", "SET #left = version", False),
        ("DeleteItem", "", True),
        ("GetItem", "", False),
    ],
)
def test_what_gives_or_takes_a_seat_is_told_from_the_rest(
    action: str, expression: str, changes_seats: bool
) -> None:
    found = request(action, **({"UpdateExpression": expression} if expression else {}))

    assert (found.room, found.changes_seats) == ("BCDF23", changes_seats)


ANSWER = b"HTTP/1.1 200 OK\r\nx-amz-crc32: 2745614147\r\nContent-Length: 2\r\n\r\n{}"
BY_NAME = {fault.name: fault for fault in (NO_FAULT, *FAULTS)}


@dataclass
class Process:
    """Stands in for the function's process."""

    done: list[str] = field(default_factory=list)

    def control(self) -> ProcessControl:
        return ProcessControl(
            kill=lambda: self.done.append("kill"),
            freeze=lambda seconds: self.done.append(f"freeze {seconds:.0f}"),
            shift_clock=lambda seconds: self.done.append(f"clock {seconds}"),
        )


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def table() -> Iterator[tuple[str, int]]:
    """A table that answers everything."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with connection:
            while receive_request(connection):
                connection.sendall(ANSWER)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def proxy(table: tuple[str, int], process: Process) -> Iterator[Proxy]:
    proxy = Proxy(table, process.control())
    yield proxy
    proxy.close()


@pytest.fixture
def connect(proxy: Proxy) -> Iterator[Callable[[], socket.socket]]:
    """Connects to the proxy as the function does."""
    opened = []

    def connected() -> socket.socket:
        port = int(proxy.url.rpartition(":")[2])
        opened.append(socket.create_connection(("127.0.0.1", port), timeout=30))
        return opened[-1]

    yield connected
    for connection in opened:
        connection.close()


def end(connection: socket.socket) -> None:
    """Send no more, if the proxy has not reset the connection already."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)


def inject(proxy: Proxy, name: str, hits: frozenset[int] | None = None) -> Injection:
    injection = Injection(BY_NAME[name], hits, random.Random(1), time.monotonic())
    proxy.injection = injection
    return injection


def test_without_a_fault_it_hands_on_and_knows_the_effect(
    proxy: Proxy, connect: Callable[[], socket.socket]
) -> None:
    injection = inject(proxy, "none")
    connection = connect()
    connection.sendall(REQUEST)

    assert receive_response(connection).data == ANSWER
    assert [(one.action, one.room, one.changed) for one in injection.effects] == [
        ("PutItem", "BCDF23", True)
    ]


def test_what_a_process_asks_while_it_starts_is_handed_on_too(
    connect: Callable[[], socket.socket],
) -> None:
    connection = connect()
    for _ in range(2):
        connection.sendall(REQUEST)
        assert receive_response(connection).data == ANSWER


def test_it_meets_only_the_requests_that_it_is_to_hit(
    proxy: Proxy, connect: Callable[[], socket.socket]
) -> None:
    injection = inject(proxy, "throttled", frozenset({1}))
    connection = connect()
    statuses = []
    for _ in range(3):
        connection.sendall(REQUEST)
        statuses.append(receive_response(connection).status)

    assert statuses == [200, 400, 200]
    assert (injection.requests, injection.met, len(injection.effects)) == (3, 1, 2)


def test_it_meets_the_write_after_a_read(
    proxy: Proxy, connect: Callable[[], socket.socket]
) -> None:
    injection = inject(proxy, "throttled", frozenset({0}))
    injection.of_writes = True
    connection = connect()
    statuses = []
    for data in (request("GetItem").data, REQUEST, REQUEST):
        connection.sendall(data)
        statuses.append(receive_response(connection).status)

    assert statuses == [200, 400, 200]


@pytest.mark.proof
@pytest.mark.parametrize("name", ["late-request", "late-after-reset", "killed-meanwhile"])
def test_a_late_request_is_carried_out_after_the_function_has_gone(
    proxy: Proxy, connect: Callable[[], socket.socket], name: str
) -> None:
    injection = inject(proxy, name)
    connection = connect()
    connection.sendall(REQUEST)
    end(connection)
    with pytest.raises(ConnectionResetError):
        receive_response(connection)
    gone = time.monotonic() - injection.epoch
    injection.wait_until_quiet()

    assert len(injection.effects) == 1
    assert injection.effects[0].began > gone or injection.effects[0].began > 0.05


def test_a_lost_request_reaches_no_table(
    proxy: Proxy, connect: Callable[[], socket.socket]
) -> None:
    injection = inject(proxy, "lost-request")
    connection = connect()
    connection.sendall(REQUEST)
    end(connection)

    assert connection.recv(100) == b""
    assert injection.effects == []


def test_a_request_is_carried_out_twice_and_answered_once(
    proxy: Proxy, connect: Callable[[], socket.socket]
) -> None:
    injection = inject(proxy, "twice")
    connection = connect()
    connection.sendall(REQUEST)

    assert receive_response(connection).data == ANSWER
    assert len(injection.effects) == 2


def test_a_refused_connection_is_open_again_afterwards(
    proxy: Proxy, connect: Callable[[], socket.socket]
) -> None:
    fault = BY_NAME["refused"]
    inject(proxy, "none")
    fault.before(proxy)
    with pytest.raises(ConnectionRefusedError):
        connect()
    fault.after(proxy)
    connection = connect()
    connection.sendall(REQUEST)

    assert receive_response(connection).status == 200


@pytest.mark.parametrize(
    ("name", "done"),
    [
        ("killed-before", ["kill"]),
        ("frozen", ["freeze 1"]),
        ("clock-ahead", ["clock 300", "clock 0"]),
        ("clock-behind", ["clock -300", "clock 0"]),
    ],
)
def test_the_process_is_stopped_or_gets_another_clock(
    proxy: Proxy,
    process: Process,
    connect: Callable[[], socket.socket],
    name: str,
    done: list[str],
) -> None:
    inject(proxy, name)
    BY_NAME[name].before(proxy)
    connection = connect()
    connection.sendall(REQUEST)
    connection.recv(100)
    BY_NAME[name].after(proxy)

    assert process.done == done
