"""An image as a value: documents, layers, the files that they add up to, and its faults."""

from dataclasses import dataclass, field
from enum import StrEnum

from imagecheck.image.filesystem import FileSystem
from imagecheck.image.layer import Layer
from imagecheck.image.manifest import ImageConfig, Manifest
from imagecheck.image.reference import Reference


class FaultKind(StrEnum):
    """What a fault is of."""

    NOT_THERE = "the registry has no such image"
    BLOB_MISSING = "a blob is missing"
    WRONG_BYTES = "bytes are not those that their digest names"
    DOCUMENT = "a document is none"
    LAYER = "a layer cannot be unpacked"
    DIFF_ID = "a layer is not the one that the configuration names"
    COMPRESSION = "a layer is compressed with something other than gzip"
    TOO_LARGE = "the layers are too large"


@dataclass(frozen=True)
class Fault:
    """A fault that makes the image impossible to unpack."""

    kind: FaultKind
    text: str


@dataclass
class Image:
    """What was learned of an image. What could not be read is None, and ``faults`` says why."""

    reference: Reference
    compressed_on_push: bool
    digest: str | None = None
    """Of what the reference names; None where only a push makes a manifest."""
    root: Manifest | None = None
    """What the reference names: a manifest or an index."""
    root_media_type: str = ""
    manifest: Manifest | None = None
    """One platform's manifest: the root, or the one that an index has for the architecture."""
    manifest_digest: str | None = None
    """Of ``manifest``, where it has one."""
    config: ImageConfig | None = None
    layers: tuple[Layer, ...] | None = None
    files: FileSystem | None = None
    faults: list[Fault] = field(default_factory=list)
