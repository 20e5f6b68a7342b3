"""Sources of an image's bytes."""

from contextlib import AbstractContextManager
from typing import BinaryIO, NamedTuple, Protocol

from imagecheck.image.manifest import Descriptor
from imagecheck.image.reference import Reference


class Document(NamedTuple):
    """A manifest or an index as it was served. Its bytes decide its digest."""

    media_type: str
    """As the registry declares it; empty where nothing does."""
    content: bytes


class ImageSource(Protocol):
    """One image in a folder, a file or a registry.

    What it returns is not verified: the reader compares digest and size. Every method
    raises ImageReadError when the place cannot be read (no file, no network, no permission), and
    NotInRegistryError when the place can be read and lacks what is asked for.
    """

    compressed_on_push: bool
    """Whether layers lie here as they are before a push, so that compression and digests say
    nothing of what Lambda will get."""

    @property
    def reference(self) -> Reference:
        """Which image it is."""
        ...

    def root(self) -> Document:
        """Return what the reference names: a manifest, or an index."""
        ...

    def manifest(self, descriptor: Descriptor) -> Document:
        """Return a manifest that an index lists."""
        ...

    def blob(self, descriptor: Descriptor) -> AbstractContextManager[BinaryIO]:
        """Open a configuration or a layer, to be read once from the start."""
        ...

    def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether a blob of this digest and size is there, without reading it."""
        ...

    def stamp(self, descriptor: Descriptor) -> str | None:
        """Return what changes whenever the bytes of a blob may have; empty while that is not sure.

        None is for a place that answers for its digests itself: a registry, or what was hashed just
        now.
        """
        ...

    def close(self) -> None:
        """Give back files and connections."""
        ...
