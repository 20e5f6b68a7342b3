"""An image as ``docker save`` writes it: ``docker-archive:FILE``.

Layers lie there uncompressed, and there is no manifest that a registry would take: a push makes
both. https://github.com/moby/docker-image-spec/blob/v1.3.1/spec.md#combined-image-json--filesystem-changeset-format
"""

import hashlib
from contextlib import AbstractContextManager, closing
from typing import BinaryIO

import msgspec

from imagecheck.budget import Budget
from imagecheck.image.errors import DamagedImageError, ImageReadError, NotInRegistryError
from imagecheck.image.files import TarFiles
from imagecheck.image.layout import LayoutSource
from imagecheck.image.manifest import (
    CONFIG_TYPES,
    DOCKER_MANIFEST,
    MAX_DOCUMENT_BYTES,
    Descriptor,
    Manifest,
    digest_of,
    parse_manifest,
)
from imagecheck.image.reference import FileReference
from imagecheck.image.source import Document, ImageSource

_LAYER_TYPE = "application/vnd.docker.image.rootfs.diff.tar"
_CHUNK = 1024 * 1024


class _Image(msgspec.Struct, frozen=True, rename="pascal"):
    config: str
    layers: list[str]
    repo_tags: list[str] | None = None


def open_docker_archive(reference: FileReference, budget: Budget | None = None) -> ImageSource:
    """Open an archive of ``docker save``.

    One of Docker's containerd store has beside its own manifest an OCI layout with the manifest or
    the index that a push sends. An index is what Lambda refuses, so then that is what is read.
    """
    source = DockerArchiveSource(reference, budget)
    try:
        return LayoutSource(reference, source.files) if source.pushes_an_index() else source
    except BaseException:
        source.close()
        raise


class DockerArchiveSource:
    """The image of an archive that the reference names; the only one, when it names none.

    What the archive lacks no registry lacks, so that is ImageReadError.

    Its manifest is made up here from what is in the archive, so its digest means nothing.
    """

    compressed_on_push = True

    def __init__(self, reference: FileReference, budget: Budget | None = None) -> None:
        self._budget = budget or Budget()
        self.reference = reference
        self.files = TarFiles(reference.path, budget)
        self._names: dict[str, str] = {}

    def root(self) -> Document:
        """See ImageSource."""
        image = self._named()
        config = self._read(image.config)
        layers = [self._descriptor(name) for name in image.layers]
        manifest = Manifest(
            media_type=DOCKER_MANIFEST,
            config=Descriptor(
                media_type=CONFIG_TYPES[1], digest=digest_of(config), size=len(config)
            ),
            layers=layers,
        )
        self._names[digest_of(config)] = image.config
        return Document(DOCKER_MANIFEST, msgspec.json.encode(manifest))

    def pushes_an_index(self) -> bool:
        """Whether a push of it sends an index, which lies here too."""
        try:
            listed = parse_manifest(self._read("index.json")).manifests or []
            names = {f"blobs/sha256/{d.digest.removeprefix('sha256:')}" for d in listed}
            content = self._read(names.pop()) if len(names) == 1 else b""
            return parse_manifest(content).is_index if content else False
        except (ImageReadError, DamagedImageError):
            return False

    def manifest(self, descriptor: Descriptor) -> Document:
        """See ImageSource; an archive has no index."""
        raise NotInRegistryError(f"{self.reference} has no manifest {descriptor.digest}")

    def blob(self, descriptor: Descriptor) -> AbstractContextManager[BinaryIO]:
        """See ImageSource."""
        return closing(self._open(self._names[descriptor.digest]))

    def has_blob(self, descriptor: Descriptor) -> bool:
        """See ImageSource."""
        return descriptor.digest in self._names

    def stamp(self, descriptor: Descriptor) -> None:
        """See ImageSource: all layers were hashed to name them."""

    def close(self) -> None:
        """See ImageSource."""
        self.files.close()

    def _named(self) -> _Image:
        content = self._read("manifest.json")
        try:
            images = found = msgspec.json.decode(content, type=list[_Image])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ImageReadError(
                f"{self.reference.path} is not what `docker save` writes: manifest.json: {error}"
            ) from error
        tag = self.reference.tag
        if tag:
            images = [image for image in images if tag in (image.repo_tags or [])]
        if len(images) != 1:
            what = "several images" if images else f"no image {tag}"
            names = [name for image in (images or found) for name in image.repo_tags or []]
            shown = "".join(f"\n  docker-archive:{self.reference.path}:{name}" for name in names)
            raise ImageReadError(
                f"{self.reference.path} has {what}",
                hint=f"name one:{shown or ' docker-archive:FILE:REPOSITORY:TAG'}",
            )
        return images[0]

    def _descriptor(self, name: str) -> Descriptor:
        """Describe a layer; its digest is that of its bytes, so reading it once more is needed."""
        sha256 = hashlib.sha256()
        size = 0
        with closing(self._open(name)) as file:
            while chunk := file.read(_CHUNK):
                self._budget.look_at_clock()
                sha256.update(chunk)
                size += len(chunk)
        digest = "sha256:" + sha256.hexdigest()
        self._names[digest] = name
        return Descriptor(media_type=_LAYER_TYPE, digest=digest, size=size)

    def _read(self, name: str) -> bytes:
        with closing(self._open(name)) as file:
            content = file.read(MAX_DOCUMENT_BYTES + 1)
        if len(content) > MAX_DOCUMENT_BYTES:
            raise ImageReadError(f"{name} has more than {MAX_DOCUMENT_BYTES:,} bytes")
        return content

    def _open(self, name: str) -> BinaryIO:
        try:
            return self.files.open(name)
        except FileNotFoundError:
            raise ImageReadError(
                f"{self.reference.path} is not what `docker save` writes: it has no file {name!r}"
            ) from None
