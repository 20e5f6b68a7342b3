"""A repository of a registry, asked with the login that it demands.

https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

import time
from collections.abc import Callable, Mapping
from typing import BinaryIO
from urllib.parse import urljoin

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from imagecheck.budget import Budget
from imagecheck.image.authorization import Access, authorization, login_hint
from imagecheck.image.errors import ImageReadError, NotInRegistryError, UnfinishedError
from imagecheck.image.http import HttpClient, refuse_plain_http, same_origin
from imagecheck.image.reference import RegistryReference

_DOCKER_HUB = ("docker.io", "index.docker.io")
_DOCKER_HUB_REGISTRY = "registry-1.docker.io"
_GOOD = (200, 206)
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404


class RegistrySession:
    """A session with a repository: requests and uploads.

    It speaks HTTPS, and to a registry on this machine (``localhost``, 127.0.0.0/8, ::1) plain HTTP.
    Credentials are those of the access, or of `docker login`; without any, it asks anonymously.
    """

    def __init__(
        self,
        access: Access,
        *,
        sleep: Callable[[float], None] = time.sleep,
        budget: Budget | None = None,
    ) -> None:
        self.budget = budget
        self.access = access
        self.place = f"{access.host}/{access.repository}"
        self._http = HttpClient(sleep, budget)
        self._url = f"{access.registry}/v2/{access.repository}/"
        self._authorization: str | None = None

    def read(self, method: str, what: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
        """Return the answer that has the thing; its body is not read yet.

        Raises:
            NotInRegistryError: there is none of that name.
            ImageReadError: it cannot be read.

        """
        url = self._url + what
        response = self._http.fetch(method, url, headers, self._authorization)
        if response.status == _UNAUTHORIZED:
            # The first time, and whenever a token is too old: some last for a minute.
            self._log_in(response)
            response = self._http.fetch(method, url, headers, self._authorization)
        if response.status not in _GOOD:
            if response.status == _NOT_FOUND:
                response.close()
                raise NotInRegistryError(f"{self.place} has no {what}")
            raise self.refusal(response, f"when asked for {what}")
        return response

    def url(self, where: str) -> str:
        """Return where that is, which is named from below the repository, or whole.

        Raises ImageReadError when it is nowhere, or in the clear on another machine.
        """
        try:
            url = urljoin(self._url, where)
            refuse_plain_http(parse_url(url), self.access.registry)
        except (LocationParseError, ValueError):
            # The text may be a signed URL.
            raise ImageReadError(f"{self.access.host} redirects to an invalid URL") from None
        return url

    def send(
        self, method: str, where: str, headers: Mapping[str, str], body: bytes = b""
    ) -> BaseHTTPResponse:
        """Send something short; ``where`` is below the repository, or a whole URL.

        The answer may be a refusal. Raises ImageReadError when there is none.
        """
        url = self.url(where)
        response = self._http.send(method, url, self._headers(url, headers), body)
        if response.status == _UNAUTHORIZED and self._is_own(url):
            self._log_in(response)
            response = self._http.send(method, url, self._headers(url, headers), body)
        return response

    def send_stream(
        self, method: str, where: str, headers: Mapping[str, str], body: BinaryIO, size: int
    ) -> BaseHTTPResponse:
        """Send ``size`` bytes as they are read. The answer may be a refusal.

        Raises:
            UnfinishedError: another attempt, with another body, may go better.
            ImageReadError: no connection can be made.

        """
        url = self.url(where)
        response = self._http.send_once(method, url, self._headers(url, headers), body, size)
        if response.status == _UNAUTHORIZED and self._is_own(url):
            self._log_in(response)
            raise UnfinishedError(f"{self.access.host} asks for another login")
        return response

    def refusal(self, response: BaseHTTPResponse, when: str) -> ImageReadError:
        """Return, as an error, what an answer means that is not a good one."""
        response.close()
        status = response.status
        if status in (_UNAUTHORIZED, _FORBIDDEN):
            writes = self.access.actions != "pull"
            return ImageReadError(
                f"{self.place} may not be {'written' if writes else 'read'} (HTTP {status}),"
                " or is not there",
                hint=login_hint(self.access.host),
            )
        return ImageReadError(f"{self.place} answers HTTP {status} {when}")

    def pause(self, seconds: float) -> None:
        """Wait before another attempt."""
        self._http.pause(seconds)

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _is_own(self, url: str) -> bool:
        """Whether the registry itself is asked, and not who it sends us to."""
        return same_origin(url, self._url)

    def _headers(self, url: str, headers: Mapping[str, str]) -> Mapping[str, str]:
        if self._authorization and self._is_own(url):
            return {**headers, "Authorization": self._authorization}
        return headers

    def _log_in(self, response: BaseHTTPResponse) -> None:
        response.close()
        challenges = response.headers.get("WWW-Authenticate", "")
        self._authorization = authorization(challenges, self.access, self._http)


def access_to(reference: RegistryReference, actions: str = "pull") -> Access:
    """Return where a registry's repository is asked.

    Raises ImageReadError when the reference's host can be none, as with a port that is too large.
    """
    host, repository = reference.host, reference.repository
    if host in _DOCKER_HUB:
        # https://github.com/distribution/reference/blob/main/normalize.go
        host = _DOCKER_HUB_REGISTRY
        repository = repository if "/" in repository else f"library/{repository}"
    scheme = "http" if reference.is_loopback else "https"
    try:
        registry = parse_url(f"{scheme}://{host}")
    except LocationParseError:
        raise ImageReadError(f"{host} is not the address of a registry") from None
    return Access(reference.host, registry, repository, actions)
