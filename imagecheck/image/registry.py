"""An image in a registry: ``docker://HOST/REPOSITORY@sha256:...``."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import BinaryIO

from urllib3 import BaseHTTPResponse

from imagecheck.budget import Budget
from imagecheck.image.authorization import Access
from imagecheck.image.download import download
from imagecheck.image.errors import NotInRegistryError
from imagecheck.image.http_body import read_document
from imagecheck.image.manifest import MANIFEST_TYPES, MAX_DOCUMENT_BYTES, Descriptor
from imagecheck.image.reference import Reference, RegistryReference
from imagecheck.image.registry_session import RegistrySession, access_to
from imagecheck.image.source import Document


class RegistrySource:
    """The image of a registry that speaks the distribution API; see RegistrySession for how.

    ``access`` says how it is asked, where that does not follow from the reference.

    Raises:
        ImageReadError: the reference's host can be none, as with a port that is too large.

    """

    compressed_on_push = False

    def __init__(
        self,
        reference: RegistryReference,
        access: Access | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        budget: Budget | None = None,
    ) -> None:
        self.reference: Reference = reference
        self._wanted = str(reference.digest or reference.tag)
        self._root: Document | None = None
        self._session = RegistrySession(access or access_to(reference), sleep=sleep, budget=budget)

    def root(self) -> Document:
        """See ImageSource. The registry is asked once."""
        if self._root is None:
            self._root = read_manifest(self._session, self._wanted)
        return self._root

    def manifest(self, descriptor: Descriptor) -> Document:
        """See ImageSource."""
        return read_manifest(self._session, descriptor.digest)

    def blob(self, descriptor: Descriptor) -> AbstractContextManager[BinaryIO]:
        """See ImageSource."""

        def open_(headers: Mapping[str, str]) -> BaseHTTPResponse:
            return self._session.read("GET", f"blobs/{descriptor.digest}", headers)

        return download(open_, descriptor.size, self._session.access.host, self._session.budget)

    def has_blob(self, descriptor: Descriptor) -> bool:
        """See ImageSource."""
        return has_blob(self._session, descriptor)

    def stamp(self, descriptor: Descriptor) -> None:
        """See ImageSource: the registry answers for its digests."""

    def close(self) -> None:
        """See ImageSource."""
        self._session.close()


def read_manifest(session: RegistrySession, name: str) -> Document:
    """Return the manifest of a tag or a digest. Raises as ``RegistrySession.read``."""
    response = session.read("GET", f"manifests/{name}", {"Accept": ", ".join(MANIFEST_TYPES)})
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
    content = read_document(response, session.access.host, MAX_DOCUMENT_BYTES, session.budget)
    return Document(media_type, content)


def has_blob(session: RegistrySession, descriptor: Descriptor) -> bool:
    """Whether a blob of this digest and size is there. Raises ImageReadError."""
    try:
        response = session.read("HEAD", f"blobs/{descriptor.digest}", {})
    except NotInRegistryError:
        return False
    response.close()
    return response.headers.get("Content-Length") in (None, str(descriptor.size))
