"""Serves WSGI applications over connections that are kept: werkzeug's own server ends each.

A connection and a thread for every request would cost more than most requests do.
"""

import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from io import RawIOBase
from socket import SHUT_RD, socket
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import ClientDisconnected, InternalServerError
from werkzeug.sansio.utils import get_content_length
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app
from werkzeug.wsgi import LimitedStream

from local.background import in_background

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_IDLE_SECONDS: Final = 60
# Of a body that the application has not read, so much is read before the connection ends: most
# clients read no answer before they have sent everything. It is more than a gateway's largest body.
_PIECES: Final = 16
_PIECE_BYTES: Final = 1024 * 1024
_BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})


class RequestHandler(WSGIRequestHandler):
    """Answers the requests of one connection. It logs nothing but errors of the application."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    # Headers and body leave in one packet: two of them may cost a delayed ACK, 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        """Answer one request, and leave the connection where the next one begins."""
        try:
            environ = self.make_environ()
        except ValueError:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        body = _body(environ)
        environ["wsgi.input"] = body
        try:
            answer, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        except Exception:  # noqa: BLE001  (an application's error is its client's 500)
            self.server.log("error", f"Error on request:\n{traceback.format_exc()}")
            answer, status, headers = run_wsgi_app(InternalServerError(), environ, buffered=True)
        self._send(int(status.split(" ", 1)[0]), headers.items(), b"".join(answer))
        self.close_connection = self.close_connection or not _is_read(body)

    def finish(self) -> None:
        """End the connection, of which the client may have ended its part."""
        with suppress(OSError):
            super().finish()

    def _send(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        names = set()
        for name, value in headers:
            self.send_header(name, value)
            names.add(name.lower())
        if status in _BODILESS or self.command == "HEAD":
            body = b""
        elif "content-length" not in names:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection and "connection" not in names:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def handle_expect_100(self) -> bool:
        """Let the client send its body, for which it waits."""
        self.send_response_only(HTTPStatus.CONTINUE)
        self.end_headers()
        self.wfile.flush()
        return True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""

    def log_error(self, *_: Any) -> None:
        """Log nothing: these are errors of the client, or it has sent nothing for a while."""


def _body(environ: dict[str, Any]) -> RawIOBase:
    """Return the body of a request: a stream that ends where it ends.

    Reading it raises ClientDisconnected where the client has ended before.
    """
    if environ.get("wsgi.input_terminated"):
        return _Chunks(environ["wsgi.input"])
    length = get_content_length(environ.get("CONTENT_LENGTH"))
    return LimitedStream(environ["wsgi.input"], length or 0)


class _Chunks(RawIOBase):
    """A body in chunks. What has not come is an error, and nothing is returned in its place."""

    def __init__(self, chunks: RawIOBase) -> None:
        self._chunks = chunks

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = bytearray(len(buffer))
        try:
            count: int = self._chunks.readinto(piece)
        except OSError as error:
            raise ClientDisconnected from error
        if len(piece) < len(buffer):
            raise ClientDisconnected
        buffer[:count] = piece[:count]
        return count


def _is_read(body: RawIOBase) -> bool:
    """Read what the application has not, and return whether the next request begins there."""
    with suppress(ClientDisconnected):
        for _ in range(_PIECES):
            if not body.read(_PIECE_BYTES):
                return True
    return False


@contextmanager
def serving_wsgi(
    application: "WSGIApplication",
    *,
    listener: socket,
    name: str,
    handler: type[RequestHandler] = RequestHandler,
) -> Iterator[None]:
    """Serve an application on a socket that listens, in threads of this name; then close it."""
    with listener:
        host, port = listener.getsockname()
        server = _Server(host, port, application, handler, fd=listener.fileno())
        with in_background(server, name):
            yield


class _Server(ThreadedWSGIServer):
    """Ends the connections that are kept when it is closed, once they are answered."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._connections: set[Any] = set()
        super().__init__(*arguments, **options)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._connections):
            with suppress(OSError):  # Its client has ended it.
                connection.shutdown(SHUT_RD)
