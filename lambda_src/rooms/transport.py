"""Carries requests to DynamoDB in bounded time, and returns only whole answers.

A request is sent once here. Whoever sends it learns whether it was on its way when it failed.
"""

from __future__ import annotations

import logging
import ssl
import time
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING, Final

from .answer import DamagedAnswerError, read_answer
from .connection import MAX_ANSWER_BYTES, Connection
from .signature import signed_headers
from .trust import AMAZON_ROOTS, trusting, trusting_all_public

if TYPE_CHECKING:
    from http.client import HTTPResponse

    from .answer import Answer
    from .endpoint import Credentials, Endpoint

CONNECT_TIMEOUT_S: Final = 0.5
READ_TIMEOUT_S: Final = 1.0

# Of OpenSSL: no issuer, self-signed, a self-signed one in the chain, none at hand, none that signs.
# https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_UNKNOWN_AUTHORITY: Final = frozenset({2, 18, 19, 20, 21})

# Nobody reads it but AWS.
_USER_AGENT: Final = "hima-five-bomber-rooms"
_logger = logging.getLogger(__name__)


class NotSentError(Exception):
    """No connection was made, so DynamoDB has done nothing. The text is a cause for the log."""


class LostError(Exception):
    """A request was on its way, and no whole answer came. The text is a cause for the log."""


class Transport:
    """Connections to one endpoint; each stays open for the next request.

    It knows no proxies, which a function has not. Threads may share it.

    Args:
        endpoint: where DynamoDB is.
        credentials: what requests are signed with.
        ca_bundle: a PEM file with the authorities to trust, and no others; without one Amazon's
            own, and where those do not vouch for the endpoint, all public ones.
        connect_timeout: of one of the endpoint's addresses, in seconds.
        read_timeout: what a request may take beyond that, in seconds.

    """

    def __init__(
        self,
        endpoint: Endpoint,
        credentials: Credentials,
        *,
        ca_bundle: str | None = None,
        connect_timeout: float = CONNECT_TIMEOUT_S,
        read_timeout: float = READ_TIMEOUT_S,
    ) -> None:
        self.connect_timeout = connect_timeout
        self.read_timeout = read_timeout
        self._endpoint = endpoint
        self._credentials = credentials
        is_tls = endpoint.scheme == "https"
        # Certificates are read while the environment starts, not with the first request.
        self._tls = trusting(ca_bundle or AMAZON_ROOTS) if is_tls else None
        self._trusts_amazon_alone = is_tls and not ca_bundle
        self._idle: list[Connection] = []

    def send(self, operation: str, body: bytes) -> Answer:
        """Send a request, whose arguments are ``body``, and return its answer, also an error.

        It takes at most ``connect_timeout`` and ``read_timeout`` together, to its last byte.

        Raises:
            NotSentError: it was not sent.
            LostError: it may have been carried out.

        """
        deadline = time.monotonic() + self.connect_timeout + self.read_timeout
        connection = self._known_connection() or self._new_connection(deadline)
        try:
            connection.allow(deadline)
            answer = self._exchange(connection, operation, body)
        except BaseException:
            # What is still to come would be taken for the answer to the next request.
            connection.close()
            raise
        self._idle.append(connection)
        return answer

    def close_idle(self) -> None:
        """Close the connections that wait for a request.

        For whoever got no good answer: the one that brought it may be about to close, or may bring
        more of the same.
        """
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def _exchange(self, connection: Connection, operation: str, body: bytes) -> Answer:
        headers = signed_headers(
            operation,
            body,
            host=self._endpoint.authority,
            region=self._endpoint.region,
            credentials=self._credentials,
            now_s=time.time(),
        )
        headers["user-agent"] = _USER_AGENT
        try:
            connection.request("POST", "/", body, headers)
            with connection.getresponse() as response:
                content = _body_of(response)
            return read_answer(response.status, content, checksum=response.headers["x-amz-crc32"])
        except DamagedAnswerError as error:
            raise LostError(str(error)) from error
        except TimeoutError as error:
            raise LostError("ReadTimeoutError") from error
        except (OSError, HTTPException) as error:
            raise LostError("ConnectionClosedError") from error
        except Exception as error:
            # Whatever http.client trips over, such as the size of a chunk, the request has gone.
            raise LostError(type(error).__name__) from error

    def _known_connection(self) -> Connection | None:
        # Threads share the list: it is empty as soon as another one has taken the last.
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if not connection.is_stale():
                    return connection
                connection.close()
        return None

    def _new_connection(self, deadline: float) -> Connection:
        try:
            try:
                return self._connected(deadline)
            except ssl.SSLCertVerificationError as error:
                if not self._trusts_amazon_alone or error.verify_code not in _UNKNOWN_AUTHORITY:
                    raise
            self._tls, self._trusts_amazon_alone = trusting_all_public(), False
            _logger.warning("Amazon's certificate authorities do not vouch for DynamoDB")
            return self._connected(deadline)
        except TimeoutError as error:
            raise NotSentError("ConnectTimeoutError") from error
        except ssl.SSLError as error:
            raise NotSentError("SSLError") from error
        except OSError as error:
            raise NotSentError("EndpointConnectionError") from error

    def _connected(self, deadline: float) -> Connection:
        connection = Connection(
            self._endpoint.host,
            self._endpoint.port,
            tls=self._tls,
            connect_timeout=self.connect_timeout,
        )
        connection.allow(deadline)
        connection.connect()
        return connection


def _body_of(response: HTTPResponse) -> bytes:
    # Without a length, the end of the connection would be that of the answer.
    if response.length is None and not response.chunked:
        raise DamagedAnswerError(response.status, "no length")
    if response.length is not None and response.length > MAX_ANSWER_BYTES:
        raise DamagedAnswerError(response.status, "too long")
    # A chunk may claim to be of any size.
    body = response.read(MAX_ANSWER_BYTES + 1) if response.chunked else response.read()
    if len(body) > MAX_ANSWER_BYTES:
        raise DamagedAnswerError(response.status, "too long")
    return body
