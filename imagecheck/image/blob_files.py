"""Blobs that are files, each named after its digest: of an OCI image layout, of skopeo's dir."""

from contextlib import AbstractContextManager, closing
from typing import BinaryIO

from imagecheck.image.errors import NotInRegistryError
from imagecheck.image.files import Files
from imagecheck.image.manifest import Descriptor
from imagecheck.image.reference import FileReference


class BlobFiles:
    """What sources of such files have in common. Their manifests they find themselves."""

    compressed_on_push = False

    def __init__(self, reference: FileReference, files: Files, folder: str = "") -> None:
        """Take the files, and which folder of them has the blobs: ``""``, or a name and a slash."""
        self.reference = reference
        self._files = files
        self._folder = folder

    def blob(self, descriptor: Descriptor) -> AbstractContextManager[BinaryIO]:
        """See ImageSource."""
        try:
            return closing(self._files.open(self._name(descriptor)))
        except FileNotFoundError:
            raise NotInRegistryError(f"{self.reference} has no blob {descriptor.digest}") from None

    def has_blob(self, descriptor: Descriptor) -> bool:
        """See ImageSource."""
        try:
            return self._files.size(self._name(descriptor)) == descriptor.size
        except FileNotFoundError:
            return False

    def stamp(self, descriptor: Descriptor) -> str:
        """See ImageSource."""
        try:
            return self._files.stamp(self._name(descriptor))
        except FileNotFoundError:
            return ""

    def close(self) -> None:
        """See ImageSource."""
        self._files.close()

    def _name(self, descriptor: Descriptor) -> str:
        return self._folder + descriptor.digest.removeprefix("sha256:")
