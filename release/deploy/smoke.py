"""The contract test over HTTPS, as a client calls the API."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, ProtocolError
from urllib3.util import parse_url

from contract.run import (
    ContractRequest,
    ContractResponse,
    ContractStep,
    ContractTestError,
    NoResponseError,
    run_contract_test,
)
from imagecheck.errors import FailedError, UsageError
from imagecheck.image.http import (
    CONNECT_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
    in_words,
)
from imagecheck.image.reference import RegistryReference
from imagecheck.terminal import printable

KEY_HEADER: Final = "x-distribution-key"
"""The header in which the page's distribution shows the API its secret."""

MAX_ANSWER_SECONDS: Final = 60
MAX_ANSWER_BYTES: Final = 1024**2
"""A room has five players."""

_PIECE_BYTES = 65536
_REDIRECTS = range(300, 400)
_NOT_MODIFIED = 304


def api_url(text: str) -> str:
    """Return the URL of an API without a slash at its end.

    Raises:
        UsageError: it is not a URL, or not one to send tokens to.

    """
    try:
        # A URL with a space or a control character in it is none, which urllib3 does not say.
        url = parse_url(text) if text.isprintable() and " " not in text else None
    except LocationParseError:
        url = None
    if url is None or url.scheme not in {"http", "https"} or not url.host:
        raise UsageError(
            f"invalid URL of an API: {printable(text.rpartition('@')[2])!r}",
            hint="take the output ApiUrl of the stack, such as"
            " https://abc123.execute-api.ap-northeast-1.amazonaws.com",
        )
    if url.auth:
        raise UsageError("the URL has a user in it, and the API has none", hint="leave it out")
    if url.query is not None or url.fragment is not None:
        raise UsageError(f"{url.host}: the URL has a query or a fragment", hint="leave out ? and #")
    if url.scheme == "http" and not RegistryReference(url.host, "").is_loopback:
        raise UsageError(
            f"{url.host}: plain HTTP is for this machine only", hint=f"https://{url.netloc}"
        )
    return url.url.rstrip("/")


def smoke(
    url: str, *, key: str | None = None, clock: Callable[[], float] = time.monotonic
) -> list[ContractStep]:
    """Run the contract test; no room stays. ``url`` is as api_url gives it.

    ``key`` opens an API that is closed to all but its page; see ``Live``.

    Raises:
        ContractTestError: an answer is wrong.
        FailedError: none comes.

    """
    with _client(url, key, clock) as ask:
        try:
            return run_contract_test(ask)
        except ContractTestError as wrong:
            if isinstance(wrong.__context__, _UnreachableError):
                raise FailedError(f"{wrong.step}: {wrong.found}") from wrong
            raise


class _UnreachableError(NoResponseError):
    """There is no API there, or no way to it."""


@contextmanager
def _client(
    url: str, key: str | None, clock: Callable[[], float]
) -> Iterator[Callable[[ContractRequest], ContractResponse]]:
    host = parse_url(url).netloc
    always = {"Content-Type": "application/json", **({KEY_HEADER: key} if key else {})}
    pool = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS)
    )

    def ask(request: ContractRequest) -> ContractResponse:
        deadline = clock() + MAX_ANSWER_SECONDS
        try:
            response = pool.request(
                request.method,
                url + request.path,
                body=None if request.body is None else json.dumps(request.body).encode(),
                headers={**always, **(request.headers or {})},
                redirect=False,
                # An answer that comes only when asked again is not what players get.
                retries=False,
                preload_content=False,
            )
            try:
                content = read_bounded(response, deadline, clock)
            finally:
                response.close()
        except HTTPError as error:
            raise _UnreachableError(f"{host} cannot be reached: {in_words(error)}") from error
        if response.status in _REDIRECTS and response.status != _NOT_MODIFIED:
            raise NoResponseError(f"status {response.status}: an API does not redirect")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return ContractResponse(response.status, headers, _decoded(content, response.status))

    try:
        yield ask
    finally:
        pool.clear()


def read_bounded(
    response: urllib3.BaseHTTPResponse, deadline: float, clock: Callable[[], float]
) -> bytes:
    """Read what comes until ``deadline``, MAX_ANSWER_BYTES at most. Raises NoResponseError."""
    pieces = b""
    while piece := _piece(response):
        pieces += piece
        if len(pieces) > MAX_ANSWER_BYTES:
            raise NoResponseError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
        if clock() > deadline:
            raise _UnreachableError(f"the answer is not there after {MAX_ANSWER_SECONDS} s")
    return pieces


def _piece(response: urllib3.BaseHTTPResponse) -> bytes:
    try:
        # Not read(): that waits for all of it, however slowly it comes.
        return response.read1(_PIECE_BYTES, decode_content=False)
    except ValueError:  # http.client tries to read what says that it has less than no bytes
        raise ProtocolError from None


def _decoded(content: bytes, status: int) -> Any:
    if not content:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise NoResponseError(f"status {status}, and no JSON") from None
