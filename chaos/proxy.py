"""A TCP proxy between one environment of the function and the table, which knows what happened.

Every request that reaches the table passes here, so the proxy can tell when each was carried out,
and whether it changed anything: what no client can know.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from chaos.history import Effect
from chaos.message import Request, Response, receive_request, receive_response

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from chaos.faults import Fault

# Longer than anything that waits for the table.
_PATIENCE_S: Final = 60
_OK: Final = 200


@dataclass
class Injection:
    """The fault of one operation, and what became of its requests.

    ``hits`` are the numbers, from 0, of the requests that it meets, or of the writes; None is all.
    Times begin at ``epoch``, of the monotonic clock. ``effects`` is in the order in which the
    requests ended; it grows as long as ``under_way`` is not 0.
    """

    fault: Fault
    hits: frozenset[int] | None
    rng: random.Random
    epoch: float
    of_writes: bool = False
    requests: int = 0
    writes: int = 0
    met: int = 0
    effects: list[Effect] = field(default_factory=list)
    under_way: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def is_to_meet(self, request: Request) -> bool:
        """Whether the fault meets a request that has not been counted yet."""
        if self.of_writes:
            return request.is_write and (self.hits is None or self.writes in self.hits)
        return self.hits is None or self.requests in self.hits

    def wait_until_quiet(self) -> None:
        """Wait until no request of the operation can be carried out any more."""
        while True:
            with self.lock:
                if not self.under_way:
                    return
            time.sleep(0.02)


class Exchange:
    """One request and its answer. A fault decides what happens to them."""

    def __init__(
        self, request: Request, injection: Injection, proxy: Proxy, connection: socket.socket
    ) -> None:
        self.request = request
        self.rng = injection.rng
        self.is_open = True
        self.control = proxy.control
        self._injection = injection
        self._proxy = proxy
        self._connection = connection

    def carry_out(self) -> Response:
        """Have the table carry out the request, and return its answer."""
        with self._injection.lock:
            self._injection.under_way += 1
        return self._carry_out()

    def carry_out_later(self, seconds: float) -> None:
        """Have the table carry it out after some time, whatever happens here."""
        with self._injection.lock:
            self._injection.under_way += 1
        timer = threading.Timer(seconds, self._carry_out)
        timer.daemon = True
        timer.start()

    def _carry_out(self) -> Response:
        began = time.monotonic()
        try:
            response = self._proxy.ask_table(self.request)
            effect = Effect(
                action=self.request.action,
                room=self.request.room,
                began=began - self._injection.epoch,
                ended=time.monotonic() - self._injection.epoch,
                status=response.status,
                changed=self.request.changes_seats and response.status == _OK,
            )
            with self._injection.lock:
                self._injection.effects.append(effect)
            return response
        finally:
            with self._injection.lock:
                self._injection.under_way -= 1

    def answer(self, data: bytes) -> None:
        """Send bytes to the function."""
        self._connection.sendall(data)

    def close(self) -> None:
        """Close the connection, orderly."""
        self.is_open = False

    def reset(self) -> None:
        """Close the connection at once (TCP RST)."""
        linger = struct.pack("ii", 1, 0)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.is_open = False

    def wait_until_given_up(self) -> None:
        """Answer nothing until the function closes the connection."""
        self.is_open = False
        with suppress(OSError):
            while self._connection.recv(65536):
                pass


class Proxy:
    """Listens for one environment, and hands its requests to the table.

    ``control`` is the process that it serves, for faults that stop it. Without an ``injection``, as
    while that process starts, requests are passed on, and belong to no operation.
    """

    def __init__(self, table: tuple[str, int], control: ProcessControl) -> None:
        self._table = table
        self.control = control
        self.injection: Injection | None = None
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []
        self._port = 0
        self._listener = self._listen()

    @property
    def url(self) -> str:
        """The endpoint for the SDK."""
        return f"http://127.0.0.1:{self._port}"

    def refuse(self) -> None:
        """Close the port, and every connection with it."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def accept_again(self) -> None:
        """Open the port again."""
        self._listener = self._listen()

    def close(self) -> None:
        """End it."""
        self.refuse()
        for connection in self._idle:
            connection.close()

    def ask_table(self, request: Request) -> Response:
        """Have the table carry out a request."""
        connection = self._idle_connection()
        if connection is None:
            connection = socket.create_connection(self._table, _PATIENCE_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request.data)
        response = receive_response(connection)
        self._idle.append(connection)
        return response

    def _idle_connection(self) -> socket.socket | None:
        """Return a connection that the table has not closed meanwhile."""
        while self._idle:
            with suppress(IndexError):
                connection = self._idle.pop()
                # Nothing is asked, so what can be read is its end.
                if not select.select([connection], [], [], 0)[0]:
                    return connection
                connection.close()
        return None

    def _listen(self) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", self._port), backlog=16)
        self._port = listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._connections.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            # A function that was killed, or has given up, is no error here.
            with suppress(OSError):
                while (request := receive_request(connection)) and self._exchange(
                    request, connection
                ):
                    pass
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _exchange(self, request: Request, connection: socket.socket) -> bool:
        """Serve one request; return whether the connection stays open."""
        injection = self.injection
        if injection is None:
            connection.sendall(self.ask_table(request).data)
            return True
        with injection.lock:
            is_met = injection.is_to_meet(request)
            injection.requests += 1
            injection.writes += request.is_write
            injection.met += is_met
        exchange = Exchange(request, injection, self, connection)
        if is_met:
            injection.fault.meet(exchange)
        else:
            exchange.answer(exchange.carry_out().data)
        return exchange.is_open


@dataclass(frozen=True)
class ProcessControl:
    """What a fault can do to the process of the function."""

    kill: Callable[[], None]
    freeze: Callable[[float], None]
    """Stops it, and lets it go on after some seconds, in the background."""
    shift_clock: Callable[[int], None]
    """Sets its clock some seconds ahead."""
