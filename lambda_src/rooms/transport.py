"""Carries botocore's requests to DynamoDB in bounded time, and returns only whole answers.

botocore's own HTTP client bounds each silence of an answer, not the answer, and takes one that was
cut off for a short one: ``http.client`` ends a head where the connection ends, even over TLS. This
one answers in its place, by the event that botocore has for it:
https://docs.aws.amazon.com/botocore/latest/topics/events.html
It knows no proxies, which a function has not.
"""

from __future__ import annotations

import io
import ssl
from contextlib import suppress
from contextvars import ContextVar
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)

from .answer import DamagedAnswerError, require_whole
from .connection import MAX_ANSWER_BYTES, Connection, Origin, origin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPResponse

    from mypy_boto3_dynamodb import DynamoDBClient

has_sent: Final = ContextVar("has_sent", default=False)
"""Whether this thread's request was on its way to DynamoDB; whoever begins one sets it to False."""

is_distrusted: Final = ContextVar("is_distrusted", default=False)
"""Whether this thread's next request shall find no connection open.

Whoever got no good answer sets it to True: the one that brought it may be about to close, or may
bring more of the same.
"""


def carry_requests_of(client: DynamoDBClient) -> None:
    """Carry all requests of a client from now on.

    Its configuration says how: a request takes at most ``connect_timeout`` and ``read_timeout``
    together, in seconds, and ``max_pool_connections`` stay open between requests.
    """
    send: Any = _Transport(client).send
    # A client is carried once, however many stores it has.
    client.meta.events.register("before-send.dynamodb", send, unique_id="rooms-transport")


class _Transport:
    def __init__(self, client: DynamoDBClient) -> None:
        self._config: Any = client.meta.config
        self._idle: list[Connection] = []
        # Certificates are read while the environment starts, not with the first request.
        self._origin(client.meta.endpoint_url)

    def send(self, request: Any, **_: object) -> AWSResponse:
        """Send a request of botocore's.

        Raises:
            ConnectTimeoutError, EndpointConnectionError, SSLError: nothing was sent.
            ReadTimeoutError, ConnectionClosedError, DamagedAnswerError: it may have been done.

        """
        if is_distrusted.get():
            is_distrusted.set(False)
            self._close_idle()
        connection = self._connection(self._origin(request.url))
        try:
            response = self._exchange(connection, request)
        except BaseException:
            # What is still to come would be taken for the answer to the next request.
            connection.close()
            raise
        self._keep(connection)
        return response

    def _exchange(self, connection: Connection, request: Any) -> AWSResponse:
        connection.allow(self._config.connect_timeout + self._config.read_timeout)
        if connection.sock is None:
            self._connect(connection, request.url)
        has_sent.set(True)
        try:
            connection.request(request.method, _target(request.url), request.body, request.headers)
            with connection.getresponse() as response:
                body = _body_of(response)
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
        except (OSError, HTTPException) as error:
            raise ConnectionClosedError(endpoint_url=request.url, error=error) from error
        require_whole(response.status, body, checksum=response.headers["x-amz-crc32"])
        headers: Any = dict(response.headers)
        return AWSResponse(request.url, response.status, headers, _Body(body))

    @staticmethod
    def _connect(connection: Connection, url: str) -> None:
        try:
            connection.connect()
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=url, error=error) from error
        except ssl.SSLError as error:
            raise SSLError(endpoint_url=url, error=error) from error
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=url, error=error) from error

    @staticmethod
    def _origin(url: str) -> Origin:
        parts = urlsplit(url)
        return origin(parts.scheme, parts.hostname or "", parts.port)

    def _connection(self, origin: Origin) -> Connection:
        # Threads share the list: it is empty as soon as another one has taken the last.
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if connection.origin == origin and not connection.is_stale():
                    return connection
                connection.close()
        return Connection(origin, connect_timeout=self._config.connect_timeout)

    def _close_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def _keep(self, connection: Connection) -> None:
        if len(self._idle) < self._config.max_pool_connections:
            self._idle.append(connection)
        else:
            connection.close()


class _Body(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


def _body_of(response: HTTPResponse) -> bytes:
    # Without a length, the end of the connection would be that of the answer.
    if response.length is None and not response.chunked:
        raise DamagedAnswerError(status=response.status, fault="no length")
    if response.length is not None and response.length > MAX_ANSWER_BYTES:
        raise DamagedAnswerError(status=response.status, fault="too long")
    return response.read()


def _target(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
