"""An image sent to a registry, from wherever it lies: the bytes that arrive are those here.

https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#push
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from imagecheck.errors import FailedError
from imagecheck.image.errors import (
    DamagedImageError,
    ImageReadError,
    NotInRegistryError,
)
from imagecheck.image.image_reader import Progress
from imagecheck.image.manifest import (
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    digest_of,
    parse_manifest,
    verified,
)
from imagecheck.image.registry import has_blob, read_manifest
from imagecheck.image.registry_session import RegistrySession
from imagecheck.image.source import ImageSource
from release.errors import RefusedError
from release.registry.answers import refusal_of, require_digest
from release.registry.blob_upload import CREATED, upload_blob

_MAX_INDEX_DEPTH = 3


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
        FailedError: the registry cannot be reached, or does not take it.

    """
    if source.compressed_on_push:
        raise RefusedError(
            f"{source.reference} has no digest before it is pushed, so what arrives cannot be"
            " verified",
            hint="push an OCI layout: oci:DIR",
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
                    f"{registry.place} does not give back what was pushed as {manifest.digest}",
                    hint="deploy nothing from there",
                )
    return Pushed(root.digest, found is not None, sent)


def manifest_at(registry: RegistrySession, name: str) -> bytes | None:
    """Return the manifest of a tag or a digest, None: there is none. Raises ImageReadError."""
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
            case ImageReadError():
                raise FailedError(
                    f"the push to {self._place} failed: {error}; {state}", hint=error.hint
                ) from error
            case DamagedImageError() | NotInRegistryError():
                raise RefusedError(f"{self._source.reference} cannot be pushed: {error}") from error


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
        upload_blob(source, registry, blob, progress)
    return total


def _send_manifest(registry: RegistrySession, manifest: _Sent, name: str) -> None:
    response = registry.send(
        "PUT", f"manifests/{name}", {"Content-Type": manifest.media_type}, manifest.content
    )
    if response.status == CREATED:
        response.close()
        require_digest(registry, response, manifest.digest)
    elif manifest_at(registry, name) != manifest.content:
        # An attempt whose answer is lost may have put it there, and no second one is taken then.
        raise refusal_of(registry, response, f"the manifest {manifest.digest} as {name}")
    response.close()
