"""TLS before the table, as DynamoDB has it: handshake and authorities cost a function time."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import botocore

from chaos.message import receive_request, receive_response
from tests.support.imagecheck.certificate import self_signed

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----\n"
_ROOTS: Final = frozenset(
    {
        "Amazon Root CA 1",
        "Amazon Root CA 2",
        "Amazon Root CA 3",
        "Amazon Root CA 4",
        "Starfield Services Root Certificate Authority - G2",
    }
)
"""Amazon's own: https://www.amazontrust.com/repository/"""


class Authorities:
    """Files of certificates that a client trusts. The front's own is in each of them.

    ``all`` are those that botocore brings, so many as ``count``; ``amazon`` Amazon's own of them.
    """

    def __init__(self, folder: Path, own: str) -> None:
        """Write the files."""
        self.own = _written(folder / "own.pem", [own])
        theirs = certificates(Path(botocore.__file__).with_name("cacert.pem").read_text("utf-8"))
        self.count = len(theirs)
        self.all = _written(folder / "all.pem", [*theirs.values(), own])
        amazon = (theirs[name] for name in sorted(_ROOTS))
        self.amazon = _written(folder / "amazon.pem", [*amazon, own])
        self.files = (self.all, self.amazon, self.own)


class TlsFront:
    """Answers on a port with TLS what a table answers without. ``requests`` counts them."""

    def __init__(self, table: tuple[str, int], context: ssl.SSLContext) -> None:
        """Listen."""
        self._table = table
        self._context = context
        self._requests = itertools.count(1)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.requests = 0
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # A function that is ended closes its connection in any way.
        with suppress(OSError), connection, socket.create_connection(self._table) as table:
            for one in (connection, table):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._context.wrap_socket(connection, server_side=True) as secured:
                while request := receive_request(secured):
                    self.requests = next(self._requests)
                    table.sendall(request.data)
                    secured.sendall(receive_response(table).data)


@contextmanager
def tls_front(table: tuple[str, int], folder: Path) -> Iterator[tuple[TlsFront, Authorities]]:
    """Start a front, and yield it with the files of those who are trusted."""
    certificate = self_signed(folder)
    front = TlsFront(table, certificate.tls())
    try:
        yield front, Authorities(folder, ssl.DER_cert_to_PEM_cert(certificate.der))
    finally:
        front.close()


def certificates(bundle: str) -> dict[str, str]:
    """Return the certificates of a file by the name that stands before each as a comment."""
    found = {}
    for part in bundle.split(_END)[:-1]:
        before, _, body = part.partition(_BEGIN)
        label = next(line for line in before.splitlines() if line.startswith("# Label: "))
        found[label.partition('"')[2].rstrip('"')] = f"{_BEGIN}{body}{_END}"
    return found


def _written(path: Path, bundle: list[str]) -> Path:
    path.write_text("".join(bundle), encoding="ascii")
    return path
