"""A proxy before DynamoDB Local that asks for the capacity of each request, and keeps the answers.

The function need not know of it: the request is changed on its way, which DynamoDB Local does not
notice, because it checks no signatures.
"""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_TARGET: Final = "X-Amz-Target"
_KEPT_HEADERS: Final = ("content-type", "x-amz-crc32", "x-amzn-requestid")


class TableRequest(NamedTuple):
    """A request that the table has answered.

    ``told`` is the capacity that DynamoDB Local tells; None for an error, which has none. ``item``
    is the item that it was about, as DynamoDB's JSON, where request or answer have it whole.
    """

    action: str
    status: int
    told: float | None
    is_consistent: bool
    item: dict[str, Any] | None


class CapacityProxy:
    """Where the function finds the proxy, and what has passed it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._requests: list[TableRequest] = []

    def add(self, request: TableRequest) -> None:
        """Keep a request."""
        self._requests.append(request)

    def take(self) -> tuple[TableRequest, ...]:
        """Return the requests since the last call, in their order."""
        taken, self._requests = tuple(self._requests), []
        return taken


@contextmanager
def capacity_proxy(table_url: str) -> Iterator[CapacityProxy]:
    """Serve a proxy before a DynamoDB Local."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    proxy = CapacityProxy(f"http://127.0.0.1:{server.server_address[1]}")
    server.daemon_threads = True
    server.table_url = table_url  # type: ignore[attr-defined]
    server.proxy = proxy  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server: Any = self.server
        content = json.loads(self.rfile.read(int(self.headers["content-length"])))
        body = json.dumps({**content, "ReturnConsumedCapacity": "TOTAL"}).encode()
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in {"host", "content-length", "connection"}
        }
        table = http.client.HTTPConnection(urlsplit(server.table_url).netloc, timeout=60)
        table.request("POST", "/", body, headers)
        response = table.getresponse()
        answer = response.read()
        table.close()
        server.proxy.add(_read(self.headers[_TARGET], content, response.status, json.loads(answer)))
        self.send_response(response.status)
        for name in _KEPT_HEADERS:
            if value := response.headers[name]:
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _read(
    target: str, content: dict[str, Any], status: int, answer: dict[str, Any]
) -> TableRequest:
    capacity = answer.get("ConsumedCapacity", {}).get("CapacityUnits")
    item = content.get("Item") or answer.get("Item")
    if item is None and content.get("ReturnValues") == "ALL_NEW":
        item = answer.get("Attributes")
    return TableRequest(
        action=target.rpartition(".")[2],
        status=status,
        told=None if capacity is None else float(capacity),
        is_consistent=bool(content.get("ConsistentRead")),
        item=item,
    )
