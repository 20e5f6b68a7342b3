"""The contract of the API, played over HTTPS as a client."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, ProtocolError
from urllib3.util import parse_url

from imagecheck.image.http import (
    CONNECT_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
    in_words,
)
from imagecheck.image.reference import RegistryReference
from imagecheck.terminal import printable
from lambda_src.probe.play import Answer, NoAnswerError, PlayError, Request, Step, play
from release.errors import CannotDoError

MAX_ANSWER_SECONDS: Final = 60
MAX_ANSWER_BYTES: Final = 1024**2
"""A room has five players."""

_PIECE_BYTES = 65536
_REDIRECTS = range(300, 400)
_NOT_MODIFIED = 304


def api_url(text: str) -> str:
    """Return the URL of an API without a slash at its end.

    Raises:
        CannotDoError: it is no URL, or not one to send tokens to.

    """
    try:
        # A URL with a space or a control character in it is none, which urllib3 does not say.
        url = parse_url(text) if text.isprintable() and " " not in text else None
    except LocationParseError:
        url = None
    if url is None or url.scheme not in {"http", "https"} or not url.host:
        raise CannotDoError(
            f"{printable(text.rpartition('@')[2])!r} is no URL of an API; one is"
            " https://abc123.execute-api.ap-northeast-1.amazonaws.com (output ApiUrl of the stack)"
        )
    if url.auth:
        raise CannotDoError("the URL has a user in it; the API knows none, so leave it out")
    if url.query is not None or url.fragment is not None:
        raise CannotDoError(f"{url.host}: the URL goes on after its path: leave out ? and #")
    if url.scheme == "http" and not RegistryReference(url.host, "").is_loopback:
        raise CannotDoError(
            f"{url.host}: plain HTTP is spoken with this machine only: say https://{url.netloc}"
        )
    return url.url.rstrip("/")


def smoke(url: str, *, clock: Callable[[], float] = time.monotonic) -> list[Step]:
    """Create a room, join, get, leave, and leave; no room stays. ``url`` is as api_url gives it.

    Raises:
        PlayError: an answer is wrong.
        CannotDoError: none comes.

    """
    with _client(url, clock) as ask:
        try:
            return play(ask)
        except PlayError as wrong:
            # What the play made its error of.
            if isinstance(wrong.__context__, _UnreachableError):
                raise CannotDoError(f"{wrong.step}: {wrong.found}") from None
            raise


class _UnreachableError(NoAnswerError):
    """There is no API there, or no way to it."""


@contextmanager
def _client(url: str, clock: Callable[[], float]) -> Iterator[Callable[[Request], Answer]]:
    host = parse_url(url).netloc
    pool = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS)
    )

    def ask(request: Request) -> Answer:
        deadline = clock() + MAX_ANSWER_SECONDS
        try:
            response = pool.request(
                request.method,
                url + request.path,
                body=None if request.body is None else json.dumps(request.body).encode(),
                headers={"Content-Type": "application/json", **(request.headers or {})},
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
            raise _UnreachableError(f"{host} cannot be reached: {in_words(error)}") from None
        if response.status in _REDIRECTS and response.status != _NOT_MODIFIED:
            raise NoAnswerError(f"status {response.status}: an API redirects nobody")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, _decoded(content, response.status))

    try:
        yield ask
    finally:
        pool.clear()


def read_bounded(
    response: urllib3.BaseHTTPResponse, deadline: float, clock: Callable[[], float]
) -> bytes:
    """Read what comes until ``deadline``, MAX_ANSWER_BYTES at most. Raises NoAnswerError."""
    pieces = b""
    while piece := _piece(response):
        pieces += piece
        if len(pieces) > MAX_ANSWER_BYTES:
            raise NoAnswerError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
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
        raise NoAnswerError(f"status {status}, and no JSON") from None
