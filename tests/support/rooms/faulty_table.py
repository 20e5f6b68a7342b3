"""A server in front of DynamoDB Local that can do to an answer whatever a network can.

It passes requests on, one after the other on each connection, and answers as DynamoDB does: with a
checksum, which DynamoDB Local leaves out of errors. A fault replaces one answer.
"""

from __future__ import annotations

import http.client
import itertools
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl

_JSON = "application/x-amz-json-1.0"


def whole_answer(status: int, body: bytes, *, checksum: str | None = "", **headers: str) -> bytes:
    """Return an answer as DynamoDB gives it.

    Args:
        status: the HTTP status.
        body: the body.
        checksum: what is sent as checksum; the right one by default, none if it is None.
        headers: more headers, with underscores for hyphens; they replace its own.

    """
    fields = {"Content-Type": _JSON, "Content-Length": str(len(body))}
    if checksum is not None:
        fields["x-amz-crc32"] = checksum or str(zlib.crc32(body))
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Some Reason\r\n{head}\r\n".encode("latin-1") + body


@dataclass
class FaultyTable:
    """The running server.

    Args:
        upstream: the URL of DynamoDB Local; None if ``serves`` says what every answer is.
        endpoint: the server's URL.

    """

    upstream: str | None
    endpoint: str = ""
    connections: list[int] = field(default_factory=list)
    """How many requests each connection brought."""
    last_head: bytes = b""
    """The head of the last request."""
    faults: Iterator[Fault | None] = field(default_factory=lambda: iter(()))
    """What happens to the next answers, one after the other; then they are whole."""
    stopped: threading.Event = field(default_factory=threading.Event)

    _served: bytes = b""
    open_after_faults: bool = False
    """Whether a connection stays open after a fault, as if nothing had happened."""

    def serves(self, whole: bytes) -> None:
        """Give this answer to every request."""
        self._served = whole

    def does(self, *faults: Fault | None) -> None:
        """Damage the next answers so; None leaves one whole."""
        self.faults = iter(faults)

    def always(self, fault: Fault) -> None:
        """Damage every answer so."""
        self.faults = itertools.repeat(fault)

    def real_answer(self, head: bytes, body: bytes) -> bytes:
        if self.upstream is None:
            return self._served
        parts = urlsplit(self.upstream)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if line)
        connection.request("POST", "/", body, fields)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return whole_answer(response.status, content)


Fault = Callable[[bytes, socket.socket, FaultyTable], None]
"""Gets the real answer and the connection, sends what it likes; then the connection is closed."""


def sends(content: bytes) -> Fault:
    """Send something else."""
    return lambda _answer, connection, _table: connection.sendall(content)


def cut(length: int) -> Fault:
    """End the answer after some bytes; counted from its end if negative."""
    return lambda answer, connection, _table: connection.sendall(answer[:length])


def flips(part: Literal["head", "body"], *bits: int) -> Fault:
    """Turn bits of the answer's head, or of its body, over."""

    def fault(answer: bytes, connection: socket.socket, _table: FaultyTable) -> None:
        head = answer.index(b"\r\n\r\n") + 4
        start, length = (0, head) if part == "head" else (head, len(answer) - head)
        damaged = bytearray(answer)
        for bit in bits:
            damaged[start + bit // 8 % length] ^= 1 << bit % 8
        connection.sendall(damaged)

    return fault


def drips(start: int, *, pause_s: float) -> Fault:
    """Send the answer byte by byte from ``start`` on."""

    def fault(answer: bytes, connection: socket.socket, table: FaultyTable) -> None:
        connection.sendall(answer[:start])
        for byte in answer[start:]:
            if table.stopped.wait(pause_s):
                return
            connection.sendall(bytes([byte]))

    return fault


def repeats(start: bytes, content: bytes, *, pause_s: float = 0) -> Fault:
    """Send something, and something else for ever after."""

    def fault(_answer: bytes, connection: socket.socket, table: FaultyTable) -> None:
        connection.sendall(start)
        while not table.stopped.wait(pause_s):
            connection.sendall(content)

    return fault


def keeps_silent(_answer: bytes, _connection: socket.socket, table: FaultyTable) -> None:
    """Never answer."""
    table.stopped.wait()


@contextmanager
def faulty_table(
    upstream: str | None, *, tls: ssl.SSLContext | None = None, slow_handshake: bool = False
) -> Iterator[FaultyTable]:
    """Run it on a port of 127.0.0.1."""
    table = FaultyTable(upstream)
    threads: list[threading.Thread] = []

    def listen(listener: socket.socket) -> None:
        while not table.stopped.is_set():
            with suppress(TimeoutError):
                connection, _ = listener.accept()
                table.connections.append(0)
                number = len(table.connections) - 1
                thread = threading.Thread(target=serve, args=(connection, number))
                threads.append(thread)
                thread.start()

    def serve(connection: socket.socket, number: int) -> None:
        # The client may go away at any time, and the test may end.
        with connection, suppress(OSError):
            connection.settimeout(60)
            if slow_handshake:
                keeps_silent(b"", connection, table)
                return
            if tls is None:
                _converse(connection, table, number)
                return
            with tls.wrap_socket(connection, server_side=True) as secured:
                _converse(secured, table, number)

    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        listener.settimeout(0.05)
        scheme = "http" if tls is None else "https"
        table.endpoint = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        threads.append(threading.Thread(target=listen, args=(listener,)))
        threads[0].start()
        try:
            yield table
        finally:
            table.stopped.set()
            for thread in threads:
                thread.join()


def _converse(connection: socket.socket, table: FaultyTable, number: int) -> None:
    connection.settimeout(0.05)
    received = b""
    while not table.stopped.is_set():
        try:
            chunk = connection.recv(65536)
        except TimeoutError:
            continue
        if not chunk:
            return
        received += chunk
        head, found, rest = received.partition(b"\r\n\r\n")
        if not found or len(rest) < _length(head):
            continue
        body, received = rest[: _length(head)], rest[_length(head) :]
        table.connections[number] += 1
        table.last_head = head
        fault = next(table.faults, None)
        whole = table.real_answer(head, body)
        connection.settimeout(60)
        if fault is not None:
            fault(whole, connection, table)
            if not table.open_after_faults:
                return
        else:
            connection.sendall(whole)
        connection.settimeout(0.05)


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
