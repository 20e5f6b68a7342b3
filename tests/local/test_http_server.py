"""The HTTP server keeps connections, whatever applications and clients do on them."""

import http.client
import io
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.serving import ThreadedWSGIServer
from werkzeug.wrappers import Request, Response

from local.gateway import reserve_port
from local.http_server import RequestHandler, serving_wsgi

Told = Callable[[], str]
may_answer = threading.Event()


@Request.application
def application(request: Request) -> Response:
    match request.path:
        case "/echo":
            return Response(request.get_data(), content_type="text/plain")
        case "/unread":
            return Response("not read")
        case "/unchanged":
            return Response(status=304, headers={"etag": '"1"'})
        case "/error":
            raise RuntimeError("a fault")
        case "/when-gone":
            may_answer.wait(10)
            return Response("hello")
        case "/pieces":
            return Response(iter([b"one", b"two"]))
        case _:
            return Response("hello", headers={"x-method": request.method})


@pytest.fixture
def connection() -> Iterator[http.client.HTTPConnection]:
    listener = reserve_port(0)
    with serving_wsgi(application, listener=listener, name="test"):
        connection = connected(listener)
        yield connection
        connection.close()


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Told:
    """What was logged and written to the terminal. A connection has ended after its errors."""
    return lambda: caplog.text + capsys.readouterr().err


def sent(connection: http.client.HTTPConnection, request: bytes) -> bytes:
    """Send what may be a part of a request and no more, and return all that comes back."""
    with socket.create_connection((connection.host, connection.port), timeout=30) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(1000), b""))


def connected(listener: socket.socket) -> http.client.HTTPConnection:
    host, port = listener.getsockname()
    return http.client.HTTPConnection(host, port, timeout=30)


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
) -> tuple[int, bytes]:
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.parametrize(
    ("line", "body", "answer"),
    [
        ("POST /echo", b"a" * 100_000, (200, b"a" * 100_000)),
        ("POST /unread", b"GET /error HTTP/1.1\r\n\r\n" * 10_000, (200, b"not read")),
        ("GET /unchanged", None, (304, b"")),
        ("HEAD /", None, (200, b"")),
        ("GET /pieces", None, (200, b"onetwo")),
    ],
)
def test_the_next_request_of_a_connection_is_answered(
    connection: http.client.HTTPConnection, line: str, body: bytes | None, answer: tuple[int, bytes]
) -> None:
    method, path = line.split()
    assert ask(connection, method, path, body) == answer
    kept = connection.sock

    assert ask(connection, "GET", "/") == (200, b"hello")
    assert connection.sock is kept is not None


@pytest.mark.parametrize("path", ["/echo", "/unread"])
def test_so_it_is_after_a_body_in_chunks(connection: http.client.HTTPConnection, path: str) -> None:
    connection.request("POST", path, io.BytesIO(b"b" * 100_000), encode_chunked=True)
    body = connection.getresponse().read()
    kept = connection.sock

    assert body in {b"b" * 100_000, b"not read"}
    assert ask(connection, "GET", "/") == (200, b"hello")
    assert connection.sock is kept is not None


def test_an_error_of_the_application_is_500_and_in_the_log(
    connection: http.client.HTTPConnection, caplog: pytest.LogCaptureFixture
) -> None:
    status, _ = ask(connection, "GET", "/error")

    assert status == 500
    assert "RuntimeError: a fault" in caplog.text
    assert ask(connection, "GET", "/") == (200, b"hello")


def test_a_client_that_wants_no_more_is_let_go(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/", headers={"connection": "close"})
    answer = connection.getresponse()

    assert answer.headers["connection"] == "close"
    assert answer.read() == b"hello"
    assert connection.sock is None


def test_a_client_of_http_1_0_is_let_go(connection: http.client.HTTPConnection) -> None:
    with socket.create_connection((connection.host, connection.port), timeout=30) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(1000), b""))

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nhello")


def test_a_client_that_asks_whether_to_send_its_body_may(
    connection: http.client.HTTPConnection,
) -> None:
    with socket.create_connection((connection.host, connection.port), timeout=30) as client:
        client.sendall(
            b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        )
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"abc")
        assert client.recv(1000).endswith(b"\r\n\r\nabc")


def test_headers_and_body_leave_in_one_packet(
    connection: http.client.HTTPConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    packets: list[bytes] = []
    write = socket.SocketIO.write

    def noted(self: socket.SocketIO, data: Any) -> int | None:
        packets.append(bytes(data))
        return write(self, data)

    monkeypatch.setattr(socket.SocketIO, "write", noted)
    ask(connection, "GET", "/")

    assert [packet.partition(b"\r\n\r\n")[2] for packet in packets] == [b"hello"]


def test_connections_that_are_kept_end_with_the_server() -> None:
    listener = reserve_port(0)
    with serving_wsgi(application, listener=listener, name="test"):
        connection = connected(listener)
        ask(connection, "GET", "/")

    assert connection.sock is not None
    assert connection.sock.recv(1) == b""
    connection.close()


def test_after_the_server_its_port_refuses_connections() -> None:
    """Else they would wait in the queue of a listener that nobody serves."""
    listener = reserve_port(0)
    address = listener.getsockname()
    with serving_wsgi(application, listener=listener, name="test"):
        socket.create_connection(address).close()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


@pytest.mark.parametrize(
    ("path", "status"), [("/unread", b"200 OK"), ("/echo", b"400 Bad Request")]
)
@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 9\r\n\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nno length\r\n",
    ],
)
def test_a_client_that_ends_within_its_body_is_let_go_without_a_word(
    connection: http.client.HTTPConnection,
    path: str,
    status: bytes,
    body: bytes,
    told: Told,
) -> None:
    answer = sent(connection, f"POST {path} HTTP/1.1\r\nHost: x\r\n".encode() + body)

    assert answer.split(b"\r\n")[0] == b"HTTP/1.1 " + status
    assert told() == ""


@pytest.mark.parametrize("line", [b"GET http://[ HTTP/1.1", b"GET / HTTP/nine", b"GET"])
def test_a_request_that_cannot_be_read_is_400(
    connection: http.client.HTTPConnection, line: bytes, told: Told
) -> None:
    answer = sent(connection, line + b"\r\nHost: x\r\n\r\n")

    assert b"400" in answer.split(b"\r\n")[0]
    assert told() == ""


def test_a_body_without_end_is_not_read_for_ever(
    connection: http.client.HTTPConnection, told: Told
) -> None:
    piece = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    with socket.create_connection((connection.host, connection.port), timeout=30) as client:
        client.sendall(b"POST /unread HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert client.recv(1000).endswith(b"not read")
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                client.sendall(piece)
    assert told() == ""


def test_a_client_that_does_not_wait_for_its_answer_is_let_go_without_a_word(
    connection: http.client.HTTPConnection, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = threading.Event()
    shutdown = ThreadedWSGIServer.shutdown_request

    def noted(self: ThreadedWSGIServer, request: Any) -> None:
        shutdown(self, request)
        ended.set()

    monkeypatch.setattr(ThreadedWSGIServer, "shutdown_request", noted)
    with socket.create_connection((connection.host, connection.port)) as client:
        # Then closing resets the connection.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(b"GET /when-gone HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(0.05)
    may_answer.set()

    assert ended.wait(10)
    assert told() == ""


def test_a_connection_without_requests_is_ended_without_a_word(
    connection: http.client.HTTPConnection, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RequestHandler, "timeout", 0.05)
    with socket.create_connection((connection.host, connection.port), timeout=30) as client:
        assert client.recv(1) == b""
    assert told() == ""
