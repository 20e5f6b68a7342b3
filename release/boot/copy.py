"""An image from wherever it is, as a layout in a folder."""

import hashlib
import json
from pathlib import Path

from imagecheck.image.errors import DamagedImageError, ImageReadError, NotInRegistryError
from imagecheck.image.image_reader import Progress
from imagecheck.image.manifest import (
    OCI_MANIFEST,
    Descriptor,
    digest_of,
    parse_manifest,
    verified,
)
from imagecheck.image.source import ImageSource

_CHUNK = 1024 * 1024


def copy_to_layout(source: ImageSource, folder: Path, progress: Progress) -> str:
    """Write the image of one platform into a new OCI layout; return its manifest's digest.

    What is written has the digests that the source names, and so the same manifest, to the byte.

    Raises:
        ImageReadError: the source cannot be read, or changes, or lacks what its manifest names,
            or the folder cannot be written.

    """
    try:
        return _copy(source, folder, progress)
    except (DamagedImageError, NotInRegistryError) as error:
        raise ImageReadError(f"{source.reference} cannot be copied: {error}") from error
    except OSError as error:
        raise ImageReadError(f"{folder} cannot be written: {error.strerror}") from error


def _copy(source: ImageSource, folder: Path, progress: Progress) -> str:
    document = source.root()
    content = verified(document.content, source.reference.digest)
    manifest = parse_manifest(content)
    if manifest.config is None:
        raise DamagedImageError("it is no image of one platform")
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    descriptors = {d.digest: d for d in (manifest.config, *(manifest.layers or ()))}
    progress.begin(sum(descriptor.size for descriptor in descriptors.values()))
    for descriptor in descriptors.values():
        _copy_blob(source, descriptor, blobs, progress)
    digest = digest_of(content)
    (blobs / digest.removeprefix("sha256:")).write_bytes(content)
    media_type = document.media_type or manifest.media_type or OCI_MANIFEST
    named = {"mediaType": media_type, "digest": digest, "size": len(content)}
    index = {"schemaVersion": 2, "manifests": [named]}
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}', encoding="utf-8")
    return digest


def _copy_blob(
    source: ImageSource, descriptor: Descriptor, blobs: Path, progress: Progress
) -> None:
    sha256, size = hashlib.sha256(), 0
    path = blobs / descriptor.digest.removeprefix("sha256:")
    with source.blob(descriptor) as blob, path.open("wb") as file:
        # One byte more than it should have is enough to see that it is another one.
        while piece := blob.read(min(_CHUNK, descriptor.size + 1 - size)):
            sha256.update(piece)
            size += len(piece)
            file.write(piece)
            progress.advance(len(piece))
    if (f"sha256:{sha256.hexdigest()}", size) != (descriptor.digest, descriptor.size):
        raise DamagedImageError(f"what is stored under {descriptor.digest} is something else")
