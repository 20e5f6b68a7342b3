"""An OCI image layout, in a folder (``oci:DIR``) or in an archive (``oci-archive:FILE``).

https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
"""

from contextlib import closing

from imagecheck.budget import Budget
from imagecheck.image.blob_files import BlobFiles
from imagecheck.image.errors import DamagedImageError, ImageReadError
from imagecheck.image.files import Files, FolderFiles, TarFiles
from imagecheck.image.manifest import (
    MAX_DOCUMENT_BYTES,
    Descriptor,
    Manifest,
    parse_manifest,
    verified,
)
from imagecheck.image.reference import FileReference
from imagecheck.image.source import Document

_TAG = "org.opencontainers.image.ref.name"


class LayoutSource(BlobFiles):
    """The image of a layout that the reference names; the only one, when it names none.

    Raises ImageReadError when there is no layout, or it is not clear which image is meant.
    """

    def __init__(
        self,
        reference: FileReference,
        files: Files | None = None,
        budget: Budget | None = None,
    ) -> None:
        if files is None and reference.transport == "oci":
            files = FolderFiles(reference.path)
        files = files or TarFiles(reference.path, budget)
        super().__init__(reference, files, folder="blobs/sha256/")

    def root(self) -> Document:
        """See ImageSource."""
        try:
            index = self._read("index.json")
        except FileNotFoundError:
            raise ImageReadError(
                f"{self.reference.path} is not an OCI image layout: it has no index.json",
                hint=self._hint(),
            ) from None
        named = self._named(index)
        if named is None:
            # What an index of the layout lists is not in index.json itself.
            return self.manifest(Descriptor(digest=self.reference.digest or "", size=0))
        document = self.manifest(named)
        # The reader compares with the reference only, and that may have no digest.
        verified(document.content, named.digest, named.size)
        return document

    def manifest(self, descriptor: Descriptor) -> Document:
        """See ImageSource."""
        with self.blob(descriptor) as blob:
            return Document(descriptor.media_type, blob.read(MAX_DOCUMENT_BYTES + 1))

    def _read(self, name: str) -> bytes:
        with closing(self._files.open(name)) as file:
            return file.read(MAX_DOCUMENT_BYTES + 1)

    def _hint(self) -> str | None:
        """Name it as what it is instead."""
        other = "dir" if self.reference.transport == "oci" else "docker-archive"
        try:
            self._files.size("manifest.json")
        except (FileNotFoundError, ImageReadError):
            return None
        return f"it may be {other}:{self.reference.path}"

    def _named(self, content: bytes) -> Descriptor | None:
        """Find the image; a layout's own index may list several, each under its tag."""
        try:
            index: Manifest = parse_manifest(verified(content, None))
        except DamagedImageError as error:
            raise ImageReadError(f"{self.reference.path}, index.json: {error}") from error
        found = index.manifests or []
        wanted = self.reference
        if wanted.transport == "docker-archive":
            return found[0]  # there is one only
        if wanted.digest:
            return next((d for d in found if d.digest == wanted.digest), None)
        if wanted.tag:
            found = [d for d in found if (d.annotations or {}).get(_TAG) == wanted.tag]
        if not found:
            what = f"no image with the tag {wanted.tag}" if wanted.tag else "no image"
            tags = [(d.annotations or {}).get(_TAG) for d in index.manifests or []]
            there = f"its tags are {', '.join(sorted(filter(None, tags)))}" if any(tags) else None
            raise ImageReadError(f"{wanted.path} has {what}", hint=there)
        if len({d.digest for d in found}) > 1:
            digests = "".join(f"\n  {wanted.transport}:{wanted.path}@{d.digest}" for d in found)
            raise ImageReadError(f"{wanted.path} has several images", hint=f"name one:{digests}")
        return found[0]
