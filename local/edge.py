"""CloudFront on this machine: page and API on one origin, as in the deployed distribution.

There is no TLS, so nothing is redirected to HTTPS, and there is no HTTP/3. Cached responses are
compressed with gzip, and never with Brotli.
"""

import gzip
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from werkzeug.wrappers import Request, Response

from local.addresses import LOOPBACK
from local.client_limit import Clients
from local.distribution import Behavior, DeployedDistribution
from local.edge_lifetime import cached_seconds

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/ServingCompressedFiles.html
_COMPRESSED_BYTES: Final = range(1000, 10_000_000)
_COMPRESSED_TYPES: Final = frozenset(
    {"application/json", "image/svg+xml", "text/css", "text/html", "text/javascript", "text/plain"}
)
# An expired response is still compared with the origin's, and served when that fails, for a while.
_EXPIRED_SECONDS: Final = 60
_HOP_BY_HOP: Final = frozenset({"connection", "date", "server", "content-length"})


@dataclass(frozen=True)
class OriginResponse:
    """The response of an origin. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class _Cached:
    answer: OriginResponse
    since: float
    until: float


ReadObject = Callable[[str, str], OriginResponse | None]
"""Reads an object of a bucket, by its key; None where there is none."""


class Edge:
    """A CloudFront distribution as a WSGI application.

    Args:
        distribution: returns what is deployed; it is called for every request.
        api: the API, for requests to ``api_domain``.
        api_domain: returns the domain name of the deployed API.
        read_object: reads the page's bucket.
        now: the time, in seconds.

    """

    def __init__(
        self,
        distribution: Callable[[], DeployedDistribution],
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
        self._clients = Clients()
        self._cache: dict[tuple[str, ...], _Cached] = {}
        self._next_drop = 0.0
        # Each is there for as long as a request holds it or waits for it.
        self._origin_locks: WeakValueDictionary[tuple[str, ...], threading.Lock] = (
            WeakValueDictionary()
        )
        self._lock = threading.Lock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        distribution = self._distribution()
        limit = distribution.client_limit
        if limit and self._clients.exceeds(limit, request.remote_addr or "", self._now()):
            added = {"x-cache": "Error from cloudfront"}
            refused = Response(limit.body, limit.status, {**limit.headers, **added})
            return refused(environ, start_response)
        behavior = distribution.behavior(request.path)
        if request.method not in behavior.methods:
            found, added = _error(HTTPStatus.FORBIDDEN), {"x-cache": "Error from cloudfront"}
        elif request.method != "GET" or not behavior.caching.maximum_s:
            found = self._request_origin(
                distribution, behavior, request, request.headers.get("if-none-match")
            )
            added = {"x-cache": "Miss from cloudfront"}
        else:
            found, added = self._cached(distribution, behavior, request)
            if _matches(request.headers.get("if-none-match"), found.headers.get("etag")):
                found = replace(found, status=HTTPStatus.NOT_MODIFIED, body=b"")
        found = _compressed(found, behavior, request.headers.get("accept-encoding", ""))
        headers = {
            **found.headers,
            "via": "1.1 localhost (CloudFront)",
            **added,
            **behavior.headers,
        }
        response = Response(found.body, found.status, headers)
        return response(environ, start_response)

    def _cached(
        self, distribution: DeployedDistribution, behavior: Behavior, request: Request
    ) -> tuple[OriginResponse, dict[str, str]]:
        """Answer from the cache, or else with one request to the origin for all who wait.

        When the origin fails, an expired response is served for as long as the error is cached:
        https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
        """
        names = behavior.caching.key_headers
        key = (request.path, *(request.headers.get(name, "") for name in names))
        with self._lock:
            origin_lock = self._origin_locks.setdefault(key, threading.Lock())
        with origin_lock:
            cached, now = self._cache.get(key), self._now()
            if cached and now < cached.until:
                age = str(int(now - cached.since))
                return cached.answer, {"x-cache": "Hit from cloudfront", "age": age}
            known = cached.answer.headers.get("etag") if cached else None
            found = self._request_origin(distribution, behavior, request, known)
            since = now = self._now()
            if found.status == HTTPStatus.NOT_MODIFIED and cached:
                found = cached.answer
            cache_control = found.headers.get("cache-control", "")
            seconds = cached_seconds(
                found.status, cache_control, behavior.caching, distribution.error_seconds
            )
            if _failed(found) and cached and cached.answer.status == HTTPStatus.OK:
                found, since = cached.answer, cached.since
            with self._lock:
                self._drop_expired(now)
                if seconds:
                    self._cache[key] = _Cached(found, since, now + seconds)
                else:
                    self._cache.pop(key, None)
        return found, {"x-cache": "Miss from cloudfront"}

    def _drop_expired(self, now: float) -> None:
        if now >= self._next_drop:
            self._next_drop = now + _EXPIRED_SECONDS
            expired = now - _EXPIRED_SECONDS
            kept = {key: cached for key, cached in self._cache.items() if cached.until > expired}
            self._cache = kept

    def _request_origin(
        self,
        distribution: DeployedDistribution,
        behavior: Behavior,
        request: Request,
        if_none_match: str | None,
    ) -> OriginResponse:
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
        # The API talks with the edge, not with the viewer.
        environ["REMOTE_ADDR"] = LOOPBACK
        for name, value in behavior.custom_headers.items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        environ.pop("HTTP_IF_NONE_MATCH", None)
        if if_none_match:
            environ["HTTP_IF_NONE_MATCH"] = if_none_match
        response = Response.from_app(self._api, environ, buffered=True)
        headers = {
            name.lower(): value
            for name, value in response.headers.items()
            if name.lower() not in _HOP_BY_HOP
        }
        return OriginResponse(response.status_code, headers, response.get_data())


def _failed(answer: OriginResponse) -> bool:
    return answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _matches(if_none_match: str | None, etag: str | None) -> bool:
    """Compare weakly: RFC 9110, section 13.1.2."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return etag is not None and etag.removeprefix("W/") in tags


def _compressed(answer: OriginResponse, behavior: Behavior, accepted: str) -> OriginResponse:
    """Compress what CloudFront would; the ETag becomes weak then, as in CloudFront."""
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


def _error(status: HTTPStatus) -> OriginResponse:
    body = f"<html><body><h1>{status.value} {status.phrase}</h1></body></html>"
    return OriginResponse(status, {"content-type": "text/html"}, body.encode())
