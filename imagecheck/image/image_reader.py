"""The reader of images: of documents, layers and the files that they add up to."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from imagecheck.budget import Budget
from imagecheck.image.content import BlobReader, TooLargeError, UnreadableCompressionError
from imagecheck.image.errors import (
    DamagedImageError,
    ImageReadError,
    NotInRegistryError,
    WrongBytesError,
)
from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.image import Fault, FaultKind, Image
from imagecheck.image.layer import (
    MAX_FILE_BYTES,
    MAX_IMAGE_BYTES,
    MAX_LISTING_BYTES,
    TOO_MANY_FILES,
    Layer,
    read_files,
    read_layer,
)
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.manifest import (
    MAX_DOCUMENT_BYTES,
    Descriptor,
    Manifest,
    digest_of,
    parse_config,
    parse_manifest,
    verified,
)
from imagecheck.image.prefetched_files import PrefetchedFiles
from imagecheck.image.source import ImageSource

# A layer takes that long beside its files: it is looked up in the cache.
_STEPS_OF_LAYER = 500


class Progress(Protocol):
    """Is told how far the reading has come, in compressed bytes."""

    def begin(self, total: int) -> None:
        """Reading starts; so many bytes are to come."""
        ...

    def advance(self, count: int) -> None:
        """So many more were read."""
        ...


class ImageReader:
    """Reads the image of one source; what it read of layers is kept in the cache."""

    def __init__(
        self,
        source: ImageSource,
        cache: LayerCache,
        progress: Progress,
        budget: Budget | None = None,
    ) -> None:
        self._source = source
        self._cache = cache
        self._progress = progress
        self._budget = budget or Budget()
        self._ahead = PrefetchedFiles()
        self._turns: Counter[str] = Counter()

    def close(self) -> None:
        """Forget what was read ahead."""
        self._ahead.close()

    def read(self, architecture: str) -> Image:
        """Read the image; of an index, the one image for ``architecture`` (``amd64``, ``arm64``).

        Raises ImageReadError; all else that goes wrong is in the image's ``faults``.
        """
        image = self.read_documents(architecture)
        if image.manifest and image.config:
            with _collect_faults(image):
                image.layers = tuple(self._layers(image.manifest))
                self._merge(image)
        return image

    def read_documents(self, architecture: str) -> Image:
        """Read manifest and configuration, but no layer. Raises as ``read`` does."""
        image = Image(self._source.reference, self._source.compressed_on_push)
        with _collect_faults(image):
            self._read_documents(image, architecture)
        return image

    def contents(
        self, image: Image, nodes: Iterable[Node], limit: int = MAX_FILE_BYTES
    ) -> dict[str, bytes]:
        """Return the content of files of the image, by the path of each node.

        A file is cut off after ``limit`` bytes. Raises ImageReadError.
        """
        wanted: dict[int, list[Node]] = defaultdict(list)
        for node in nodes:
            wanted[node.layer].append(node)
        found: dict[str, bytes] = {}
        for number, in_layer in wanted.items():
            assert image.manifest  # noqa: S101  (nodes come from layers, and layers from a manifest)
            descriptor = (image.manifest.layers or [])[number]
            limits = {node.entry.path: min(limit, node.entry.size) for node in in_layer}
            content = self._files_of(descriptor, limits)
            found |= {node.path: content.get(node.entry.path, b"")[:limit] for node in in_layer}
        return found

    def _read_documents(self, image: Image, architecture: str) -> None:
        document = self._source.root()
        image.root = parse_manifest(verified(document.content, self._source.reference.digest))
        image.digest = None if image.compressed_on_push else digest_of(document.content)
        image.root_media_type = document.media_type or image.root.media_type
        image.manifest, image.manifest_digest = image.root, image.digest
        if image.root.is_index:
            child = self._child(image.root, architecture)
            image.manifest = image.manifest_digest = None
            if child is None:
                return
            document = self._source.manifest(child)
            content = verified(document.content, child.digest, child.size)
            image.manifest, image.manifest_digest = parse_manifest(content), child.digest
        # What another artifact has for a configuration says nothing of an image.
        if image.manifest.config and not image.manifest.is_artifact:
            image.config = parse_config(self._config(image.manifest.config))

    @staticmethod
    def _child(index: Manifest, architecture: str) -> Descriptor | None:
        fitting = [
            child
            for child in index.manifests or []
            if child.platform and child.platform.architecture == architecture
        ]
        return fitting[0] if len(fitting) == 1 else None

    def _config(self, descriptor: Descriptor) -> bytes:
        if descriptor.size > MAX_DOCUMENT_BYTES:
            raise DamagedImageError(
                f"the configuration has {descriptor.size:,} bytes, which is too many for one"
            )
        with self._source.blob(descriptor) as blob:
            content = b""
            while len(content) <= descriptor.size and (piece := blob.read(MAX_DOCUMENT_BYTES)):
                content += piece
        return verified(content, descriptor.digest, descriptor.size)

    def _layers(self, manifest: Manifest) -> Iterator[Layer]:
        descriptors = manifest.layers or []
        known = {d.digest: self._cache.layer(d.digest) for d in descriptors}
        self._progress.begin(sum(d.size for d in descriptors if not known[d.digest]))
        left = MAX_IMAGE_BYTES
        listing_left = MAX_LISTING_BYTES
        seen: set[str] = set()
        for descriptor in descriptors:
            layer = known[descriptor.digest]
            if layer is None:
                layer = self._read_layer(descriptor, left, listing_left)
                known[descriptor.digest] = layer
            elif descriptor.digest not in seen:
                self._look_again(descriptor)
            seen.add(descriptor.digest)
            self._budget.spend(_STEPS_OF_LAYER)
            left -= layer.size
            listing_left -= layer.listing_bytes
            if left < 0:
                raise TooLargeError
            if listing_left < 0:
                raise ImageReadError(TOO_MANY_FILES)
            yield layer

    def _look_again(self, descriptor: Descriptor) -> None:
        """See that a known layer is still there; a local file may have other bytes by now."""
        if not self._source.has_blob(descriptor):
            raise NotInRegistryError(f"blob {descriptor.digest} is not there in its full size")
        stamp = self._source.stamp(descriptor)
        if stamp is None or self._cache.was_seen(descriptor.digest, stamp):
            return
        with self._source.blob(descriptor) as blob:
            raw = BlobReader(blob, descriptor, self._budget)
            raw.drain()
            raw.verify()
        self._keep_seen(descriptor, stamp)

    def _keep_seen(self, descriptor: Descriptor, stamp: str | None) -> None:
        """Remember the stamp of what was read, unless it changed meanwhile."""
        if stamp and stamp == self._source.stamp(descriptor):
            self._cache.keep_seen(descriptor.digest, stamp)

    def _read_layer(self, descriptor: Descriptor, max_bytes: int, max_listing: int) -> Layer:
        stamp = self._source.stamp(descriptor)
        with self._source.blob(descriptor) as blob:
            layer = read_layer(
                blob,
                descriptor,
                max_bytes=max_bytes,
                max_listing_bytes=max_listing,
                budget=self._budget,
                progress=self._progress.advance,
            )
        self._cache.keep_layer(descriptor.digest, layer)
        self._keep_seen(descriptor, stamp)
        return layer

    def _merge(self, image: Image) -> None:
        diff_ids = (image.config.rootfs.diff_ids or []) if image.config else []
        layers = image.layers or ()
        for number, (layer, wanted) in enumerate(zip(layers, diff_ids, strict=False)):
            if layer.diff_id != wanted:
                text = (
                    f"layer {number + 1} has the diff_id {layer.diff_id}, but the configuration"
                    f" says {wanted}"
                )
                image.faults.append(Fault(FaultKind.DIFF_ID, text))
        image.files = FileSystem(layers, self._budget)
        image.faults += [Fault(FaultKind.LAYER, text) for text in image.files.broken]

    def _files_of(self, descriptor: Descriptor, limits: Mapping[str, int]) -> dict[str, bytes]:
        known = self._cache.files(descriptor.digest)
        missing = {
            path: limit
            for path, limit in limits.items()
            if path not in known or len(known[path]) < limit
        }
        if missing:
            read = self._ahead.take(descriptor.digest, missing)
            rest = {path: limit for path, limit in missing.items() if path not in read}
            if rest:
                read |= self._read_again(descriptor, rest)
            self._cache.keep_files(descriptor.digest, read)
            known |= read
        return known

    def _read_again(self, descriptor: Descriptor, limits: Mapping[str, int]) -> dict[str, bytes]:
        """Read files of a layer; from the second request on, keep its source files too."""
        self._turns[descriptor.digest] += 1
        is_second = self._turns[descriptor.digest] == 2  # noqa: PLR2004
        self._progress.begin(descriptor.size)
        try:
            with self._source.blob(descriptor) as blob:
                return read_files(
                    blob,
                    descriptor,
                    limits,
                    ahead=self._ahead if is_second else None,
                    budget=self._budget,
                    progress=self._progress.advance,
                )
        except (DamagedImageError, NotInRegistryError, TooLargeError) as error:
            # What was read ahead of other bytes is worth nothing.
            self._ahead.close()
            raise ImageReadError(
                f"a layer of {self._source.reference} changed while it was read: {error}"
            ) from error


@contextmanager
def _collect_faults(image: Image) -> Iterator[None]:
    """Make a fault of what is wrong with the image; what could not be read is raised further."""
    try:
        yield
    except NotInRegistryError as error:
        kind = FaultKind.BLOB_MISSING if image.root else FaultKind.NOT_THERE
        image.faults.append(Fault(kind, str(error)))
    except WrongBytesError as error:
        image.faults.append(Fault(FaultKind.WRONG_BYTES, str(error)))
    except UnreadableCompressionError as error:
        image.faults.append(Fault(FaultKind.COMPRESSION, str(error)))
    except TooLargeError:
        text = f"the layers have more than {MAX_IMAGE_BYTES:,} bytes when uncompressed"
        image.faults.append(Fault(FaultKind.TOO_LARGE, text))
    except DamagedImageError as error:
        kind = FaultKind.LAYER if image.config else FaultKind.DOCUMENT
        image.faults.append(Fault(kind, str(error)))
