"""CloudFront on this machine: page and API on one origin, as the deployed distribution has it.

There is no TLS here, so nothing is redirected to HTTPS, and HTTP/3 is not spoken. What is kept is
compressed for whoever takes gzip; Brotli is not spoken either.
"""

import gzip
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Request, Response

from local.distribution import Behavior, Distribution
from local.edge_lifetime import kept_seconds

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html
_COMPRESSED_BYTES: Final = range(1000, 10_000_000)
_COMPRESSED_TYPES: Final = frozenset(
    {"application/json", "image/svg+xml", "text/css", "text/html", "text/javascript", "text/plain"}
)
_HOP_BY_HOP: Final = frozenset({"connection", "date", "server", "content-length"})


@dataclass(frozen=True)
class Answer:
    """What an origin said. Header names are lower-cased."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class _Kept:
    answer: Answer
    since: float
    until: float


ReadObject = Callable[[str, str], Answer | None]
"""Reads an object of a bucket, by its key; None where there is none."""


class Edge:
    """A WSGI application.

    Args:
        distribution: says what is deployed, at every request.
        api: answers what goes to ``api_domain``.
        api_domain: where the API is, by its own account.
        read_object: reads the page's bucket.
        now: the time, in seconds.

    """

    def __init__(
        self,
        distribution: Callable[[], Distribution],
        *,
        api: "WSGIApplication",
        api_domain: Callable[[], str],
        read_object: ReadObject,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._distribution = distribution
        self._api = api
        self._api_domain = api_domain
        self._read_object = read_object
        self._now = now
        self._kept: dict[tuple[str, ...], _Kept] = {}
        self._asking: dict[tuple[str, ...], threading.Lock] = {}
        self._lock = threading.Lock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        distribution = self._distribution()
        behavior = distribution.behavior(request.path)
        if request.method not in behavior.methods:
            found, seen = _error(HTTPStatus.FORBIDDEN), {"x-cache": "Error from cloudfront"}
        elif request.method != "GET" or not behavior.caching.maximum_s:
            found = self._ask(distribution, behavior, request, request.headers.get("if-none-match"))
            seen = {"x-cache": "Miss from cloudfront"}
        else:
            found, seen = self._cached(distribution, behavior, request)
            if _matches(request.headers.get("if-none-match"), found.headers.get("etag")):
                found = replace(found, status=HTTPStatus.NOT_MODIFIED, body=b"")
        found = _compressed(found, behavior, request.headers.get("accept-encoding", ""))
        headers = {**found.headers, "via": "1.1 localhost (CloudFront)", **seen, **behavior.headers}
        response = Response(found.body, found.status, headers)
        return response(environ, start_response)

    def _cached(
        self, distribution: Distribution, behavior: Behavior, request: Request
    ) -> tuple[Answer, dict[str, str]]:
        """Answer from the cache, or ask the origin: once, however many want to know.

        When the origin fails, what is old is answered for as long as the error would be kept:
        https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
        """
        names = behavior.caching.key_headers
        key = (request.path, *(request.headers.get(name, "") for name in names))
        with self._lock:
            asking = self._asking.setdefault(key, threading.Lock())
        with asking:
            kept, now = self._kept.get(key), self._now()
            if kept and now < kept.until:
                age = str(int(now - kept.since))
                return kept.answer, {"x-cache": "Hit from cloudfront", "age": age}
            known = kept.answer.headers.get("etag") if kept else None
            found = self._ask(distribution, behavior, request, known)
            since = now = self._now()
            if found.status == HTTPStatus.NOT_MODIFIED and kept:
                found = kept.answer
            told = found.headers.get("cache-control", "")
            seconds = kept_seconds(found.status, told, behavior.caching, distribution.error_seconds)
            if _failed(found) and kept and kept.answer.status == HTTPStatus.OK:
                found, since = kept.answer, kept.since
            if seconds:
                self._kept[key] = _Kept(found, since, now + seconds)
            else:
                self._kept.pop(key, None)
        return found, {"x-cache": "Miss from cloudfront"}

    def _ask(
        self,
        distribution: Distribution,
        behavior: Behavior,
        request: Request,
        if_none_match: str | None,
    ) -> Answer:
        if behavior.bucket is not None:
            key = request.path.lstrip("/") or distribution.root_object
            found = self._read_object(behavior.bucket, key) or _error(HTTPStatus.NOT_FOUND)
            return replace(found, body=b"") if request.method == "HEAD" else found
        if behavior.domain != self._api_domain():
            return _error(HTTPStatus.BAD_GATEWAY)
        environ = dict(request.environ)
        environ["HTTP_HOST"] = behavior.domain
        environ["HTTP_VIA"] = "2.0 localhost (CloudFront)"
        # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html#RequestCustomIPAddresses
        addresses = (request.headers.get("x-forwarded-for"), request.remote_addr)
        environ["HTTP_X_FORWARDED_FOR"] = ",".join(filter(None, addresses))
        environ.pop("HTTP_IF_NONE_MATCH", None)
        if if_none_match:
            environ["HTTP_IF_NONE_MATCH"] = if_none_match
        response = Response.from_app(self._api, environ, buffered=True)
        headers = {
            name.lower(): value
            for name, value in response.headers.items()
            if name.lower() not in _HOP_BY_HOP
        }
        return Answer(response.status_code, headers, response.get_data())


def _failed(answer: Answer) -> bool:
    return answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _matches(if_none_match: str | None, etag: str | None) -> bool:
    """Compare weakly: RFC 9110, section 13.1.2."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag is not None and etag.removeprefix("W/") in tags


def _compressed(answer: Answer, behavior: Behavior, accepted: str) -> Answer:
    """Compress what is worth it; the ETag becomes a weak one then, as CloudFront's does."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if not (
        behavior.compress
        and behavior.caching.gzip
        and "gzip" in accepted
        and answer.status == HTTPStatus.OK
        and len(answer.body) in _COMPRESSED_BYTES
        and kind in _COMPRESSED_TYPES
    ):
        return answer
    headers = {**answer.headers, "content-encoding": "gzip", "vary": "Accept-Encoding"}
    if etag := answer.headers.get("etag"):
        headers["etag"] = f"W/{etag.removeprefix('W/')}"
    return replace(answer, headers=headers, body=gzip.compress(answer.body, mtime=0))


def _error(status: HTTPStatus) -> Answer:
    body = f"<html><body><h1>{status.value} {status.phrase}</h1></body></html>"
    return Answer(status, {"content-type": "text/html"}, body.encode())
