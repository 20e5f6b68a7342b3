"""Uploads a blob to a registry.

https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
"""

import hashlib
from typing import BinaryIO, Final, cast
from urllib.parse import urlencode, urljoin

from urllib3 import BaseHTTPResponse

from imagecheck.image.errors import ImageReadError, UnfinishedError, WrongBytesError
from imagecheck.image.http import BACKOFF_SECONDS
from imagecheck.image.image_reader import Progress
from imagecheck.image.manifest import Descriptor
from imagecheck.image.reference import RegistryReference
from imagecheck.image.registry import has_blob
from imagecheck.image.registry_session import RegistrySession
from imagecheck.image.source import ImageSource
from release.registry.answers import refusal_of, require_digest

CREATED: Final = 201
_ACCEPTED: Final = 202
_NOT_FOUND: Final = 404


def upload_blob(
    source: ImageSource, registry: RegistrySession, blob: Descriptor, progress: Progress
) -> None:
    """Send a blob, or have the registry take it from the repository beside it; with retries.

    Raises:
        ImageReadError: the registry cannot be reached, or does not take it.
        WrongBytesError: it is not what its digest says.
        RefusedError: what arrived is not what was sent.

    """
    for wait in (*BACKOFF_SECONDS, None):
        try:
            return _try_to_upload(source, registry, blob, progress)
        except UnfinishedError:
            if wait is None:
                raise
        registry.pause(wait)
        # The last answer may be all that was lost.
        if has_blob(registry, blob):
            return None
    raise AssertionError("the last attempt returns or raises")


def _try_to_upload(
    source: ImageSource, registry: RegistrySession, blob: Descriptor, progress: Progress
) -> None:
    location = _begin_upload(registry, blob, _repository_beside(source, registry))
    if location is None:
        progress.advance(blob.size)
        return
    with source.blob(blob) as content, _Body(content, blob, progress) as body:
        response = registry.send_stream(
            "PATCH",
            location,
            {"Content-Type": "application/octet-stream"},
            cast("BinaryIO", body),
            blob.size,
        )
        if response.status not in (_ACCEPTED, CREATED):
            raise refusal_of(registry, response, f"blob {blob.digest}")
        body.is_sent = True
    location = _location(registry, response, location)
    between = "&" if "?" in location else "?"
    done = registry.send("PUT", location + between + urlencode({"digest": blob.digest}), {})
    if done.status == _NOT_FOUND:
        # The answer to the first of two attempts is lost, or the registry has forgotten the upload.
        done.close()
        raise UnfinishedError(f"{registry.place} does not know of the upload any more")
    if done.status != CREATED:
        raise refusal_of(registry, done, f"blob {blob.digest}")
    done.close()
    require_digest(registry, done, blob.digest)


def _begin_upload(registry: RegistrySession, blob: Descriptor, beside: str | None) -> str | None:
    """Return where to send the blob; None: the registry has taken it from the other repository.

    https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#mounting-a-blob-from-another-repository
    """
    mount = "?" + urlencode({"mount": blob.digest, "from": beside}) if beside else ""
    asked = f"blobs/uploads/{mount}"
    response = registry.send("POST", asked, {})
    if mount and response.status != _ACCEPTED:
        response.close()
        if response.status == CREATED:
            return None
        # Whoever may write here need not be allowed to read there.
        return _begin_upload(registry, blob, None)
    if response.status != _ACCEPTED:
        raise refusal_of(registry, response, "an upload")
    return _location(registry, response, asked)


def _repository_beside(source: ImageSource, registry: RegistrySession) -> str | None:
    """Name the repository of the same registry that the image comes from."""
    reference = source.reference
    if isinstance(reference, RegistryReference) and reference.host == registry.access.host:
        return reference.repository
    return None


def _location(registry: RegistrySession, response: BaseHTTPResponse, asked: str) -> str:
    response.close()
    location = response.headers.get("Location")
    if not location:
        raise ImageReadError(f"{registry.place} does not say where to send a blob")
    try:
        return registry.url(urljoin(registry.url(asked), location))
    except ValueError:
        raise ImageReadError(
            f"{registry.place} redirects to an invalid URL"
        ) from None  # the URL may hold a token


class _Body:
    """A blob while it is sent: it ends as its digest says, or not at all."""

    def __init__(self, content: BinaryIO, blob: Descriptor, progress: Progress) -> None:
        self.is_sent = False
        self._content = content
        self._blob = blob
        self._progress = progress
        self._hash = hashlib.sha256()
        self._read = 0

    def __enter__(self) -> "_Body":
        return self

    def __exit__(self, *_: object) -> None:
        if not self.is_sent:
            self._progress.advance(-self._read)

    def read(self, size: int) -> bytes:
        left = self._blob.size - self._read
        piece = self._content.read(min(size, left)) if left else b""
        self._hash.update(piece)
        self._read += len(piece)
        self._progress.advance(len(piece))
        if self._read == self._blob.size or not piece:
            self._require_whole()
        return piece

    def _require_whole(self) -> None:
        found = f"sha256:{self._hash.hexdigest()}"
        if self._read < self._blob.size or found != self._blob.digest or self._content.read(1):
            raise WrongBytesError(f"what is stored under {self._blob.digest} is something else")
