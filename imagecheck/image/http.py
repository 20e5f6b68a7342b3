"""HTTP for images: bounded waits, few retries, and secrets that stay with their host."""

import queue
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import BinaryIO
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Url, parse_url

from imagecheck.budget import Budget
from imagecheck.image.errors import ImageReadError, UnfinishedError
from imagecheck.image.reference import RegistryReference

CONNECT_TIMEOUT_SECONDS = 10
READ_TIMEOUT_SECONDS = 30
"""The longest silence."""
BACKOFF_SECONDS = (1, 3, 9)
"""The waits before further attempts."""
MAX_RETRY_AFTER_SECONDS = 30
MAX_REDIRECTS = 5

_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_REDIRECTS = (301, 302, 303, 307, 308)
_REFUSALS = (401, 403)
_WORDS: dict[type[HTTPError], str] = {  # the first that fits
    NameResolutionError: "no address is known for this name",
    NewConnectionError: "no connection can be made",
    ConnectTimeoutError: "no connection within {connect} s",
    ReadTimeoutError: "nothing came for {read} s",
    ProtocolError: "the connection broke, or this is not a web server",
    IncompleteRead: "the connection broke",
}


class HttpClient:
    """Sends requests. A message of its errors names hosts only: paths and queries can be secret.

    TLS is verified against the authorities that OpenSSL knows; ``SSL_CERT_FILE`` names others.
    """

    def __init__(
        self, sleep: Callable[[float], None] = time.sleep, budget: Budget | None = None
    ) -> None:
        self.budget = budget
        """Whose time ends every wait."""
        self._sleep = sleep
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS)
        )

    def fetch(
        self, method: str, url: str, headers: Mapping[str, str], authorization: str | None = None
    ) -> urllib3.BaseHTTPResponse:
        """Send a request and follow redirects; ``authorization`` goes to no host but the first.

        The answer may have any status but a redirect's, 429 or 5xx; a 401 or 403 is the first
        host's own. Its body is not read yet.

        Raises:
            ImageReadError: there is no such answer, or a redirect leads to plain HTTP.

        """
        first = at = _parsed(url, url)
        for _ in range(MAX_REDIRECTS + 1):
            refuse_plain_http(at, first)
            own = _origin(at) == _origin(first)
            sent = {**headers, "Authorization": authorization} if own and authorization else headers
            response = self.send(method, at.url, sent)
            if not own and response.status in _REFUSALS:
                # Its challenge, if any, is not one to answer with credentials for the first host.
                response.close()
                raise ImageReadError(
                    f"{at.netloc}, to which {first.netloc} redirects,"
                    f" refuses with HTTP {response.status}"
                )
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or location is None:
                return response
            response.close()
            at = _parsed(location, at.url)
        raise ImageReadError(f"{first.netloc} redirects more than {MAX_REDIRECTS} times")

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> urllib3.BaseHTTPResponse:
        """Send a request to this URL only; try again on 429, 5xx and broken connections.

        Raises:
            ImageReadError: no answer came, or 429 or 5xx to the end.

        """
        host = parse_url(url).netloc
        for wait in (*BACKOFF_SECONDS, None):
            pause = wait
            try:
                response = self._within_time(
                    lambda: self._pool.request(
                        method,
                        url,
                        body=body,
                        # The bytes of a blob decide its digest: no compression on the way.
                        headers={"Accept-Encoding": "identity", **headers},
                        redirect=False,
                        retries=False,
                        preload_content=False,
                    )
                )
            except HTTPError as error:
                if pause is None or not isinstance(error, ProtocolError):
                    # Here and below: urllib3's own words have the URL, which may be signed.
                    raise ImageReadError(f"{host} cannot be read: {in_words(error)}") from None
            else:
                if not _may_pass(response):
                    return response
                response.close()
                if pause is None:
                    raise ImageReadError(
                        f"{host} still answers HTTP {response.status}"
                        f" after {len(BACKOFF_SECONDS) + 1} attempts",
                        hint="try again later",
                    )
                pause = max(pause, _retry_after(response))
            self.pause(pause)
        raise AssertionError("the last attempt returns or raises")

    def send_once(
        self, method: str, url: str, headers: Mapping[str, str], body: BinaryIO, size: int
    ) -> urllib3.BaseHTTPResponse:
        """Send a body of ``size`` bytes as it is read, one piece at a time.

        Raises:
            UnfinishedError: the connection broke, or 429 or 5xx; a body cannot be sent twice
                from here.
            ImageReadError: no connection can be made. What reading the body raises comes as it is.

        """
        host = parse_url(url).netloc
        try:
            response = self._pool.request(
                method,
                url,
                body=body,
                headers={**headers, "Content-Length": str(size)},
                redirect=False,
                retries=False,
                preload_content=False,
            )
        except HTTPError as error:
            kind = UnfinishedError if isinstance(error, ProtocolError) else ImageReadError
            raise kind(f"{host} cannot be written to: {in_words(error)}") from None
        if _may_pass(response):
            response.close()
            raise UnfinishedError(f"{host} answers HTTP {response.status}", hint="try again later")
        return response

    def pause(self, seconds: float) -> None:
        """Wait before another attempt."""
        if self.budget:
            self.budget.look_at_clock()
            seconds = min(seconds, self.budget.seconds_left)
        self._sleep(seconds)

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()

    def _within_time(self, ask: Callable[[], urllib3.BaseHTTPResponse]) -> urllib3.BaseHTTPResponse:
        """Wait for an answer as long as there is time: its head may drip in, too."""
        if self.budget is None:
            return ask()
        # A daemon: nobody waits for it any longer when the time is over.
        answers: queue.Queue[urllib3.BaseHTTPResponse | BaseException] = queue.Queue()
        threading.Thread(target=_put, args=(answers, ask), daemon=True).start()
        answer = None
        while answer is None:
            self.budget.look_at_clock()
            with suppress(queue.Empty):
                answer = answers.get(timeout=max(self.budget.seconds_left, 0))
        if isinstance(answer, BaseException):
            raise answer
        return answer


def _put(
    answers: "queue.Queue[urllib3.BaseHTTPResponse | BaseException]",
    ask: Callable[[], urllib3.BaseHTTPResponse],
) -> None:
    try:
        answers.put(ask())
    except BaseException as error:  # noqa: BLE001  (it is raised where the answer is wanted)
        answers.put(error)


def refuse_plain_http(url: Url, first: Url) -> None:
    """Let plain HTTP be spoken on this machine only.

    Raises:
        ImageReadError: the URL is not HTTPS, and it or the first one leads to another machine.

    """
    if url.scheme == "https" or (url.scheme == "http" and _loopback(url) and _loopback(first)):
        return
    raise ImageReadError(
        f"{first.netloc} leads to {url.scheme}://{url.netloc}, which is not HTTPS",
        hint="plain HTTP is spoken with this machine only",
    )


def in_words(error: HTTPError) -> str:
    """Say what happened without the error's own text, which can have the URL in it."""
    if isinstance(error, SSLError):
        cause = error.args[0] if error.args else error
        reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", "")
        return f"TLS fails ({reason or 'no reason given'})"
    for type_, words in _WORDS.items():
        if isinstance(error, type_):
            return words.format(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS)
    return f"the answer cannot be understood ({type(error).__name__})"


def same_origin(one: str, other: str) -> bool:
    """Whether two URLs are of the same scheme, host and port, so that a secret may go to both."""
    return _origin(parse_url(one)) == _origin(parse_url(other))


def _may_pass(response: urllib3.BaseHTTPResponse) -> bool:
    """Whether another attempt may be answered otherwise."""
    return response.status == _TOO_MANY_REQUESTS or response.status >= _SERVER_ERROR


def _parsed(location: str, base: str) -> Url:
    try:
        return parse_url(urljoin(base, location))
    except (LocationParseError, ValueError):
        raise ImageReadError(f"{parse_url(base).netloc} redirects to an invalid URL") from None


def _origin(url: Url) -> tuple[str | None, str | None, int | None]:
    return url.scheme, url.host, url.port


def _loopback(url: Url) -> bool:
    return RegistryReference(url.host or "", "").is_loopback


def _retry_after(response: urllib3.BaseHTTPResponse) -> int:
    """Read how long to wait, in seconds. A date is not understood."""
    value = response.headers.get("Retry-After", "")
    seconds = int(value) if re.fullmatch(r"[0-9]{1,9}", value) else 0
    return min(seconds, MAX_RETRY_AFTER_SECONDS)
