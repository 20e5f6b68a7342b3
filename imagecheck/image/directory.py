"""An image in a folder as skopeo writes it: ``dir:FOLDER``.

https://github.com/containers/image/blob/main/docs/containers-transports.5.md#dirpath
"""

from contextlib import closing

from imagecheck.image.blob_files import BlobFiles
from imagecheck.image.errors import ImageReadError, NotInRegistryError
from imagecheck.image.files import FolderFiles
from imagecheck.image.manifest import MAX_DOCUMENT_BYTES, Descriptor
from imagecheck.image.reference import FileReference
from imagecheck.image.source import Document


class DirectorySource(BlobFiles):
    """The one image of the folder. Its blobs lie there under their digests.

    Raises ImageReadError when there is no such folder.
    """

    def __init__(self, reference: FileReference) -> None:
        super().__init__(reference, FolderFiles(reference.path))

    def root(self) -> Document:
        """See ImageSource."""
        try:
            return self._document("manifest.json", "")
        except FileNotFoundError:
            hint = None
            if (self.reference.path / "index.json").is_file():
                hint = f"it is an OCI image layout: oci:{self.reference.path}"
            raise ImageReadError(
                f"{self.reference.path} is not what skopeo writes as dir: it has no manifest.json",
                hint=hint,
            ) from None

    def manifest(self, descriptor: Descriptor) -> Document:
        """See ImageSource."""
        try:
            return self._document(f"{self._name(descriptor)}.manifest.json", descriptor.media_type)
        except FileNotFoundError:
            raise NotInRegistryError(
                f"{self.reference} has no manifest {descriptor.digest}; skopeo copy --all takes all"
            ) from None

    def _document(self, name: str, media_type: str) -> Document:
        with closing(self._files.open(name)) as file:
            return Document(media_type, file.read(MAX_DOCUMENT_BYTES + 1))
