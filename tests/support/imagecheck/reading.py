"""Reads what images.py makes, as the command does, but without a command line."""

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from imagecheck.image.errors import NotInRegistryError
from imagecheck.image.filesystem import FileSystem
from imagecheck.image.image import Image
from imagecheck.image.image_reader import ImageReader
from imagecheck.image.layer import MAX_FILE_BYTES, Layer, read_files, read_layer
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.manifest import Descriptor
from imagecheck.image.open_source import open_source
from imagecheck.image.prefetched_files import PrefetchedFiles
from imagecheck.image.reference import Reference, parse_reference
from imagecheck.image.source import Document
from tests.support.imagecheck.images import Layer as Made
from tests.support.imagecheck.images import Member, layer_of
from tests.support.imagecheck.programs import HOST


class NoProgress:
    def begin(self, total: int) -> None:
        """Nobody watches."""

    def advance(self, count: int) -> None:
        """Nobody watches."""


def described(layer: Made) -> Descriptor:
    return Descriptor(media_type=layer.media_type, digest=layer.digest, size=layer.size)


def learned(layer: Made, **options: Any) -> Layer:
    """Read a layer."""
    return read_layer(io.BytesIO(layer.blob), described(layer), **options)


def files_of(
    layer: Made, *paths: str, limit: int = MAX_FILE_BYTES, ahead: PrefetchedFiles | None = None
) -> dict[str, bytes]:
    """Read files of a layer."""
    limits = dict.fromkeys(paths, limit)
    return read_files(io.BytesIO(layer.blob), described(layer), limits, ahead=ahead)


def merged(*layers: tuple[Member, ...], parents: bool = True) -> FileSystem:
    """Merge layers of these members, lowest first."""
    return FileSystem([learned(layer_of(*members, parents=parents)) for members in layers])


def read_image(name: str, cache: Path | None = None, architecture: str = HOST) -> Image:
    """Read an image as a command line names it."""
    with closing(open_source(parse_reference(name))) as source:
        return ImageReader(source, LayerCache(cache), NoProgress()).read(architecture)


class WatchedSource:
    """A source that remembers what it was asked for; what is in ``missing`` it denies to have."""

    def __init__(self, name: str, missing: frozenset[str] = frozenset()) -> None:
        self._source = open_source(parse_reference(name))
        self._missing = missing
        self.compressed_on_push = self._source.compressed_on_push
        self.opened: list[str] = []

    @property
    def reference(self) -> Reference:
        return self._source.reference

    def root(self) -> Document:
        return self._source.root()

    def manifest(self, descriptor: Descriptor) -> Document:
        return self._source.manifest(descriptor)

    @contextmanager
    def blob(self, descriptor: Descriptor) -> Iterator[BinaryIO]:
        self.opened.append(descriptor.digest)
        if descriptor.digest in self._missing:
            raise NotInRegistryError(f"no blob {descriptor.digest}")
        with self._source.blob(descriptor) as blob:
            yield blob

    def has_blob(self, descriptor: Descriptor) -> bool:
        return descriptor.digest not in self._missing and self._source.has_blob(descriptor)

    def stamp(self, descriptor: Descriptor) -> str | None:
        return self._source.stamp(descriptor)

    def close(self) -> None:
        self._source.close()
