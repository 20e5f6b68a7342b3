"""The HTTP server keeps connections, whatever applications and clients do on them."""

import http.client
import io
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from local.gateway import reserve_port
from local.http_server import serving_wsgi


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
    listener.close()


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
    listener.close()

    assert connection.sock is not None
    assert connection.sock.recv(1) == b""
    connection.close()
