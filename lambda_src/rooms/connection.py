"""Connections over which one request takes at most so many seconds, and its answer so many bytes.

The timeout of a socket begins again with each byte, so one that drips never ends. Here every wait
for the network takes its timeout from what is left to the request.
"""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from http.client import HTTPConnection
from typing import Any, Final

MAX_ANSWER_BYTES: Final = 1024 * 1024
"""An answer holds one item, of at most 400 KB:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""


class _Allowance:
    """What is left to one request."""

    def __init__(self) -> None:
        self._deadline = 0.0
        self._bytes = 0

    def renew(self, deadline: float) -> None:
        self._deadline = deadline
        self._bytes = MAX_ANSWER_BYTES

    def seconds(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def spend(self, count: int) -> None:
        self._bytes -= count
        if self._bytes < 0:
            raise OSError("the answer is too long")


class _Limited:
    """The part of a socket that ``http.client`` uses."""

    allowance: _Allowance

    def recv_into(self, *arguments: Any) -> int:
        self.settimeout(self.allowance.seconds())  # type: ignore[attr-defined]
        count: int = super().recv_into(*arguments)  # type: ignore[misc]
        self.allowance.spend(count)
        return count

    def sendall(self, *arguments: Any) -> None:
        # The timeout is that of all bytes (https://docs.python.org/3/library/socket.html#socket.socket.sendall);
        # over TLS that of each record, and a request is smaller than one.
        self.settimeout(self.allowance.seconds())  # type: ignore[attr-defined]
        super().sendall(*arguments)  # type: ignore[misc]


class _Socket(_Limited, socket.socket):
    pass


class _TlsSocket(_Limited, ssl.SSLSocket):
    pass


class Connection(HTTPConnection):
    """A connection that is limited; of two threads only one may use it at a time.

    Args:
        host: the server's name or address.
        port: its port.
        tls: the authorities that may vouch for it; None for plain HTTP.
        connect_timeout: of one of the host's addresses, in seconds.

    """

    sock: _Socket | _TlsSocket | None

    def __init__(
        self, host: str, port: int, *, tls: ssl.SSLContext | None, connect_timeout: float
    ) -> None:
        super().__init__(host, port)
        if tls is not None:
            tls.sslsocket_class = _TlsSocket
        self._tls = tls
        self._connect_timeout = connect_timeout
        self._allowance = _Allowance()

    def allow(self, deadline: float) -> None:
        """Begin a request whose last byte comes by then, on the monotonic clock; or to connect."""
        self._allowance.renew(deadline)

    def connect(self) -> None:
        """Connect to the first of the host's addresses that answers.

        Raises:
            TimeoutError: none did, or its handshake took too long.
            ssl.SSLCertVerificationError: nobody who is trusted vouches for it, or for this host.
            OSError: there is no such host, it refused, or it speaks no TLS.

        """
        connected = self._connected()
        self.sock = connected if self._tls is None else self._secured(connected, self._tls)
        self.sock.allowance = self._allowance

    def is_stale(self) -> bool:
        """Whether the other side has closed it, or sent what nobody asked for."""
        if self.sock is None:
            return True
        # TLS has read more from the network than was taken from it.
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            return True
        readable = select.poll()
        readable.register(self.sock, select.POLLIN)
        return bool(readable.poll(0))

    def _connected(self) -> _Socket:
        failure = OSError("the host has no address")
        for family, kind, protocol, _, address in self._addresses():
            connecting = _Socket(family, kind, protocol)
            try:
                connecting.settimeout(min(self._connect_timeout, self._allowance.seconds()))
                connecting.connect(address)
                # http.client sends head and body one after the other.
                connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError as error:
                connecting.close()
                failure = error
            else:
                return connecting
        raise failure

    def _addresses(self) -> list[Any]:
        # Nothing limits a look-up but to wait for it no longer.
        result: list[Any] | OSError = []
        is_over = threading.Event()

        def look_up() -> None:
            nonlocal result
            try:
                result = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            except OSError as error:
                result = error
            except UnicodeError:
                result = OSError("the host is no name")
            is_over.set()

        threading.Thread(target=look_up, daemon=True).start()
        if not is_over.wait(self._allowance.seconds()):
            raise TimeoutError
        if isinstance(result, OSError):
            raise result
        return result

    def _secured(self, connected: _Socket, tls: ssl.SSLContext) -> _TlsSocket:
        try:
            connected.settimeout(self._allowance.seconds())
            # An end that the other side did not announce is an error, and no end of the answer.
            secured: Any = tls.wrap_socket(
                connected, server_hostname=self.host, suppress_ragged_eofs=False
            )
        except BaseException:
            connected.close()
            raise
        return secured  # type: ignore[no-any-return]
