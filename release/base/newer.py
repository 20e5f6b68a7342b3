"""The base image that its tag stands for now, compared with the one that is pinned."""

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass

from imagecheck.errors import FailedError
from imagecheck.function import IMAGE_ARCHITECTURES, Architecture
from imagecheck.image.image import FaultKind, Image
from imagecheck.image.image_reader import ImageReader
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.open_source import open_source
from imagecheck.image.reference import RegistryReference
from imagecheck.progress import ProgressBar
from release.base.pinned import PinnedBase
from release.errors import RefusedError


@dataclass(frozen=True)
class Newer:
    """What the tag stands for now."""

    digest: str
    """What to pin: of an index where one was pinned and the tag still is one, else a manifest's."""
    image: str
    """The digest of the manifest for the function's CPU."""
    pinned_image: str | None
    """The same of what is pinned; None where its registry does not have it any more."""
    architecture: str
    """As image configurations name it: ``amd64``, ``arm64``."""

    @property
    def is_newer(self) -> bool:
        """Whether the image differs. A new index can have the old image."""
        return self.image != self.pinned_image


def find_newer(base: PinnedBase, architectures: Collection[Architecture]) -> Newer:
    """Read the registry. ``architectures`` are those of the functions that are built on the base.

    Raises:
        RefusedError: the tag has no image for that CPU, or an index is pinned for several.
        FailedError: the registry has no such tag, or has something else there.
        ImageReadError: the registry cannot be read.

    """
    pinned = _documents(base.by(base.digest), architectures)
    is_gone = any(fault.kind is FaultKind.NOT_THERE for fault in pinned.faults)
    if not is_gone:
        _require(pinned)
    is_index = bool(pinned.root and pinned.root.is_index)
    if pinned.config and not is_index:
        architecture = pinned.config.architecture
    else:
        architecture = _only(architectures)
    now = _documents(base.by_tag, architectures, architecture)
    _require(now)
    found = now.config.architecture if now.config else "something else"
    if now.digest is None or now.manifest_digest is None or found != architecture:
        raise RefusedError(
            f"{base.name} has no image for {architecture} now, only for {found}",
            hint="name a tag in the Dockerfile that has one",
        )
    return Newer(
        digest=now.digest if is_index else now.manifest_digest,
        image=now.manifest_digest,
        pinned_image=pinned.manifest_digest,
        architecture=architecture,
    )


def _documents(
    reference: RegistryReference,
    architectures: Collection[Architecture],
    architecture: str | None = None,
) -> Image:
    wanted = architecture or IMAGE_ARCHITECTURES[min(architectures)]
    with closing(open_source(reference)) as source, ProgressBar() as progress:
        return ImageReader(source, LayerCache(None), progress).read_documents(wanted)


def _require(image: Image) -> None:
    if any(fault.kind is FaultKind.NOT_THERE for fault in image.faults):
        raise FailedError(
            f"the registry has no {image.reference}", hint="check the base's name in the Dockerfile"
        )
    if image.faults:
        why = "; ".join(fault.text for fault in image.faults)
        raise FailedError(f"{image.reference} cannot be read: {why}")


def _only(architectures: Collection[Architecture]) -> str:
    if len(architectures) != 1:
        raise RefusedError(
            f"the Dockerfile pins an index, and the stages are for {' and '.join(architectures)}",
            hint="pin the image for one of them, and name the other with --build-arg BASE=...",
        )
    return IMAGE_ARCHITECTURES[next(iter(architectures))]
