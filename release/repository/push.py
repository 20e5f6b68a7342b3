"""An image sent to a registry, from wherever it lies: the bytes that arrive are those here.

https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#push
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, cast
from urllib.parse import urlencode, urljoin

import msgspec
from urllib3 import BaseHTTPResponse

from imagecheck.image.errors import (
    CannotLookError,
    DamagedImageError,
    NotInRegistryError,
    UnfinishedError,
    WrongBytesError,
)
from imagecheck.image.http import BACKOFF_SECONDS, read_document
from imagecheck.image.image import Progress
from imagecheck.image.manifest import (
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    digest_of,
    parse_manifest,
    verified,
)
from imagecheck.image.reference import RegistryReference
from imagecheck.image.registry import has_blob, read_manifest
from imagecheck.image.registry_session import RegistrySession
from imagecheck.image.source import ImageSource
from release.errors import CannotDoError, RefusedError

_CREATED = 201
_ACCEPTED = 202
_NOT_FOUND = 404
_MAX_REFUSAL_BYTES = 64 * 1024
_MAX_INDEX_DEPTH = 3
_ERROR_CODE = re.compile("[A-Za-z_]{1,64}")


class TagTakenError(RefusedError):
    """The tag is that of another image, whose digest is ``holder``."""

    def __init__(self, place: str, tag: str, *, holder: str, digest: str) -> None:
        super().__init__(f"{place}:{tag} is {holder}, not {digest}")
        self.holder = holder


@dataclass(frozen=True)
class Pushed:
    """An image that is in the registry, seen there."""

    digest: str
    was_there: bool
    """Whether it was there before, under its tag."""
    sent_bytes: int
    """Of blobs that were not there."""


def push(
    source: ImageSource, registry: RegistrySession, *, tag: str | None, progress: Progress
) -> Pushed:
    """Send an image, or an index with its images; what is there already is not sent again.

    The manifest goes last: before it, nothing is there that could be deployed. Then it is read back
    and compared, byte by byte.

    Raises:
        TagTakenError: the tag is that of another image, and no tag is moved.
        RefusedError: the image is not whole, or what arrived is not what was sent.
        CannotDoError: the registry cannot be reached, or does not take it.

    """
    if source.compressed_on_push:
        raise RefusedError(
            f"{source.reference} has no digest before it is pushed, so what arrives could be"
            " anything: push an OCI layout (oci:DIR)"
        )
    with _Telling(source, registry) as telling:
        manifests = list(_manifests(source))
        root = manifests[-1]
        name = tag or root.digest
        found = manifest_at(registry, name)
        if found is not None and found != root.content:
            raise TagTakenError(registry.place, name, holder=digest_of(found), digest=root.digest)
        sent = _send_blobs(source, registry, manifests, progress)
        telling.manifest_sent = True
        for manifest in manifests[:-1]:
            if manifest_at(registry, manifest.digest) is None:
                _send_manifest(registry, manifest, manifest.digest)
        if found is None:
            _send_manifest(registry, root, name)
        for manifest in manifests:
            if manifest_at(registry, manifest.digest) != manifest.content:
                raise RefusedError(
                    f"{registry.place} does not give back what was pushed as {manifest.digest}:"
                    " deploy nothing from there"
                )
    return Pushed(root.digest, found is not None, sent)


def manifest_at(registry: RegistrySession, name: str) -> bytes | None:
    """Return the manifest of a tag or a digest, None: there is none. Raises CannotLookError."""
    try:
        return read_manifest(registry, name).content
    except NotInRegistryError:
        return None


class _Sent(NamedTuple):
    """A manifest to be sent."""

    digest: str
    media_type: str
    content: bytes
    blobs: list[Descriptor]


class _Telling:
    """Says how far it came, whatever ends it."""

    def __init__(self, source: ImageSource, registry: RegistrySession) -> None:
        self.manifest_sent = False
        self._source = source
        self._place = registry.place

    def __enter__(self) -> "_Telling":
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        state = (
            "whether the image has arrived, the same command will tell"
            if self.manifest_sent
            else "no image was made of what has arrived: the same command goes on from there"
        )
        match error:
            case KeyboardInterrupt():
                raise KeyboardInterrupt(state) from None
            case CannotLookError():
                raise CannotDoError(f"the push to {self._place} stops: {error}; {state}") from None
            case DamagedImageError() | NotInRegistryError():
                raise RefusedError(f"{self._source.reference} cannot be pushed: {error}") from None


def _manifests(source: ImageSource) -> Iterator[_Sent]:
    """Find all manifests, those that another one lists before that one."""
    document = source.root()
    content = verified(document.content, source.reference.digest)
    yield from _with_children(source, content, document.media_type, 1)


def _with_children(
    source: ImageSource, content: bytes, media_type: str, depth: int
) -> Iterator[_Sent]:
    manifest: Manifest = parse_manifest(content)
    for child in manifest.manifests or []:
        if depth == _MAX_INDEX_DEPTH:
            raise DamagedImageError("it lists what lists what lists images")
        below = verified(source.manifest(child).content, child.digest, child.size)
        yield from _with_children(source, below, child.media_type, depth + 1)
    config = [manifest.config] if manifest.config else []
    default = OCI_INDEX if manifest.is_index else OCI_MANIFEST
    yield _Sent(
        digest_of(content),
        media_type or manifest.media_type or default,
        content,
        [*config, *(manifest.layers or [])],
    )


def _send_blobs(
    source: ImageSource, registry: RegistrySession, manifests: list[_Sent], progress: Progress
) -> int:
    blobs = {blob.digest: blob for manifest in manifests for blob in manifest.blobs}
    missing = [blob for blob in blobs.values() if not has_blob(registry, blob)]
    total = sum(blob.size for blob in missing)
    progress.begin(total)
    for blob in missing:
        _send_blob(source, registry, blob, progress)
    return total


def _send_blob(
    source: ImageSource, registry: RegistrySession, blob: Descriptor, progress: Progress
) -> None:
    for wait in (*BACKOFF_SECONDS, None):
        try:
            return _try_to_send_blob(source, registry, blob, progress)
        except UnfinishedError:
            if wait is None:
                raise
        registry.pause(wait)
        # The last answer may be all that was lost.
        if has_blob(registry, blob):
            return None
    raise AssertionError("the last attempt returns or raises")


def _try_to_send_blob(
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
        if response.status not in (_ACCEPTED, _CREATED):
            raise _refused(registry, response, f"blob {blob.digest}")
        body.is_sent = True
    location = _location(registry, response, location)
    between = "&" if "?" in location else "?"
    done = registry.send("PUT", location + between + urlencode({"digest": blob.digest}), {})
    if done.status == _NOT_FOUND:
        # The answer to the first of two attempts is lost, or the registry has forgotten the upload.
        done.close()
        raise UnfinishedError(f"{registry.place} does not know of the upload any more")
    if done.status != _CREATED:
        raise _refused(registry, done, f"blob {blob.digest}")
    done.close()
    _require_digest(registry, done, blob.digest)


def _begin_upload(registry: RegistrySession, blob: Descriptor, beside: str | None) -> str | None:
    """Return where to send the blob; None: the registry has taken it from the other repository.

    https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#mounting-a-blob-from-another-repository
    """
    mount = "?" + urlencode({"mount": blob.digest, "from": beside}) if beside else ""
    asked = f"blobs/uploads/{mount}"
    response = registry.send("POST", asked, {})
    if mount and response.status != _ACCEPTED:
        response.close()
        if response.status == _CREATED:
            return None
        # Whoever may write here need not be allowed to read there.
        return _begin_upload(registry, blob, None)
    if response.status != _ACCEPTED:
        raise _refused(registry, response, "an upload")
    return _location(registry, response, asked)


def _repository_beside(source: ImageSource, registry: RegistrySession) -> str | None:
    """Name the repository of the same registry that the image comes from."""
    reference = source.reference
    if isinstance(reference, RegistryReference) and reference.host == registry.access.host:
        return reference.repository
    return None


def _send_manifest(registry: RegistrySession, manifest: _Sent, name: str) -> None:
    response = registry.send(
        "PUT", f"manifests/{name}", {"Content-Type": manifest.media_type}, manifest.content
    )
    if response.status == _CREATED:
        response.close()
        _require_digest(registry, response, manifest.digest)
    elif manifest_at(registry, name) != manifest.content:
        # An attempt whose answer is lost may have put it there, and no second one is taken then.
        raise _refused(registry, response, f"the manifest {manifest.digest} as {name}")
    response.close()


def _require_digest(registry: RegistrySession, response: BaseHTTPResponse, digest: str) -> None:
    """Refuse an answer that says that something else has arrived."""
    arrived = response.headers.get("Docker-Content-Digest", digest)
    if arrived != digest:
        arrived = arrived if re.fullmatch(r"sha256:[0-9a-f]{64}", arrived) else "something else"
        raise RefusedError(
            f"{registry.place} says that {arrived} has arrived, but {digest} was sent:"
            " deploy nothing from there"
        )


def _location(registry: RegistrySession, response: BaseHTTPResponse, asked: str) -> str:
    response.close()
    location = response.headers.get("Location")
    if not location:
        raise CannotLookError(f"{registry.place} does not say where to send a blob")
    try:
        return registry.url(urljoin(registry.url(asked), location))
    except ValueError:
        raise CannotLookError(f"{registry.place} leads to what is no URL") from None


def _refused(registry: RegistrySession, response: BaseHTTPResponse, what: str) -> CannotLookError:
    """Say what the registry does not take, with its code for why: its words could be anything.

    https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
    """
    code = ""
    try:
        content = read_document(response, registry.place, _MAX_REFUSAL_BYTES)
        errors = msgspec.json.decode(content, type=_Refusal).errors
    except (CannotLookError, msgspec.DecodeError, RecursionError):
        errors = []
    for error in errors[:1]:
        code = f" ({error.code})" if _ERROR_CODE.fullmatch(error.code) else ""
    return registry.refusal(response, f"to {what}{code}")


class _RefusalError(msgspec.Struct, frozen=True):
    code: str = ""


class _Refusal(msgspec.Struct, frozen=True):
    errors: list[_RefusalError]


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
