"""An image in a registry: ``docker://HOST/REPOSITORY@sha256:...``.

https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import BinaryIO

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from release.image.authorization import Pull, authorization, login
from release.image.download import download
from release.image.errors import CannotLookError, NotInRegistryError
from release.image.http import HttpClient, read_document
from release.image.manifest import MANIFEST_TYPES, MAX_DOCUMENT_BYTES, Descriptor
from release.image.reference import Reference, RegistryReference
from release.image.source import Document

_DOCKER_HUB = ("docker.io", "index.docker.io")
_DOCKER_HUB_REGISTRY = "registry-1.docker.io"
_GOOD = (200, 206)
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404


class RegistrySource:
    """The image of a registry that speaks the distribution API, read by HTTPS.

    A registry on this machine (``localhost``, 127.0.0.0/8, ::1) is read by plain HTTP. Credentials
    are those of `docker login`; without any, it is read anonymously.

    Raises:
        CannotLookError: the reference's host can be none, as with a port that is too large.

    """

    compressed_on_push = False

    def __init__(
        self, reference: RegistryReference, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.reference: Reference = reference
        self._wanted = str(reference.digest or reference.tag)
        self._pull = _pull(reference)
        self._http = HttpClient(sleep)
        self._authorization: str | None = None

    def root(self) -> Document:
        """See ImageSource."""
        return self._manifest(self._wanted)

    def manifest(self, descriptor: Descriptor) -> Document:
        """See ImageSource."""
        return self._manifest(descriptor.digest)

    def blob(self, descriptor: Descriptor) -> AbstractContextManager[BinaryIO]:
        """See ImageSource."""

        def open_(headers: Mapping[str, str]) -> BaseHTTPResponse:
            return self._ask("GET", f"blobs/{descriptor.digest}", headers)

        return download(open_, descriptor.size, self._pull.host)

    def has_blob(self, descriptor: Descriptor) -> bool:
        """See ImageSource."""
        try:
            response = self._ask("HEAD", f"blobs/{descriptor.digest}", {})
        except NotInRegistryError:
            return False
        response.close()
        return response.headers.get("Content-Length") in (None, str(descriptor.size))

    def close(self) -> None:
        """See ImageSource."""
        self._http.close()

    def _manifest(self, name: str) -> Document:
        response = self._ask("GET", f"manifests/{name}", {"Accept": ", ".join(MANIFEST_TYPES)})
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
        content = read_document(response, self._pull.host, MAX_DOCUMENT_BYTES)
        return Document(media_type, content)

    def _ask(self, method: str, what: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
        url = f"{self._pull.registry}/v2/{self._pull.repository}/{what}"
        response = self._http.fetch(method, url, headers, self._authorization)
        if response.status == _UNAUTHORIZED:
            # The first time, and whenever a token is too old: some last for a minute.
            response.close()
            challenges = response.headers.get("WWW-Authenticate", "")
            self._authorization = authorization(challenges, self._pull, self._http)
            response = self._http.fetch(method, url, headers, self._authorization)
        if response.status not in _GOOD:
            response.close()
            raise self._error(response.status, what)
        return response

    def _error(self, status: int, what: str) -> Exception:
        place = f"{self._pull.host}/{self._pull.repository}"
        if status == _NOT_FOUND:
            return NotInRegistryError(f"{place} has no {what}")
        if status in (_UNAUTHORIZED, _FORBIDDEN):
            return CannotLookError(
                f"{place} may not be read (HTTP {status}), or is not there:"
                f" {login(self._pull.host)}"
            )
        return CannotLookError(f"{place} answers HTTP {status} when asked for {what}")


def _pull(reference: RegistryReference) -> Pull:
    host, repository = reference.host, reference.repository
    if host in _DOCKER_HUB:
        # https://github.com/distribution/reference/blob/main/normalize.go
        host = _DOCKER_HUB_REGISTRY
        repository = repository if "/" in repository else f"library/{repository}"
    scheme = "http" if reference.is_loopback else "https"
    try:
        return Pull(reference.host, parse_url(f"{scheme}://{host}"), repository)
    except LocationParseError:
        raise CannotLookError(f"{host} cannot be a registry: it is no address") from None
