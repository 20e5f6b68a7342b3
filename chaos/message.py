"""HTTP messages between the function and its table, as bytes that can be damaged."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket

_END_OF_HEAD: Final = b"\r\n\r\n"
CHECKSUM: Final = "x-amz-crc32"


@dataclass(frozen=True)
class Request:
    """A request of DynamoDB's JSON protocol."""

    data: bytes
    action: str
    """Such as ``PutItem``."""
    room: str
    """The code in its key."""
    changes_seats: bool
    """Whether it gives or takes a seat, when it is carried out and its condition holds."""

    @property
    def is_write(self) -> bool:
        """Whether it can change an item."""
        return self.action != "GetItem"


@dataclass(frozen=True)
class Response:
    """An answer: the lines of its head, and its body."""

    lines: tuple[str, ...]
    body: bytes

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.lines[0].split()[1])

    @property
    def head(self) -> bytes:
        """Everything before the body."""
        return "\r\n".join((*self.lines, "", "")).encode("latin-1")

    @property
    def data(self) -> bytes:
        """The whole message."""
        return self.head + self.body

    def header(self, name: str) -> str:
        """Return a header's value; empty when there is none."""
        for line in self.lines[1:]:
            found, _, value = line.partition(":")
            if found.lower() == name.lower():
                return value.strip()
        return ""

    def with_header(self, name: str, value: str | None) -> Response:
        """Return it with another value of a header, or without it."""
        kept = [line for line in self.lines if line.partition(":")[0].lower() != name.lower()]
        return replace(self, lines=(*kept, *([] if value is None else [f"{name}: {value}"])))

    def with_checksum(self, value: str | None) -> Response:
        """Return it with another checksum, or without one."""
        return self.with_header(CHECKSUM, value)


def receive_request(connection: socket.socket) -> Request | None:
    """Read a request; None when the other side has closed. Raises OSError."""
    message = _receive(connection)
    if message is None:
        return None
    head, body = message
    target = next(
        line.partition(":")[2].strip()
        for line in head.decode("latin-1").split("\r\n")
        if line.lower().startswith("x-amz-target:")
    )
    content = json.loads(body)
    room: str = (content.get("Key") or content["Item"])["roomId"]["S"]
    action = target.rpartition(".")[2]
    # An update can also write down what is not for the players, such as who has left.
    changes_seats = action in {"PutItem", "DeleteItem"} or "players." in content.get(
        "UpdateExpression", ""
    )
    return Request(head + _END_OF_HEAD + body, action, room, changes_seats)


def receive_response(connection: socket.socket) -> Response:
    """Read a response. Raises OSError, also when the other side closes."""
    message = _receive(connection)
    if message is None:
        raise ConnectionResetError
    head, body = message
    return Response(tuple(head.decode("latin-1").split("\r\n")), body)


def _receive(connection: socket.socket) -> tuple[bytes, bytes] | None:
    data = b""
    while _END_OF_HEAD not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(_END_OF_HEAD)
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            return None
        body += piece
    return head, body
