"""The bytes of a layer as they are stored, and as they are when uncompressed."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from imagecheck.budget import Budget
from imagecheck.image.errors import DamagedImageError, WrongBytesError
from imagecheck.image.gunzip import GZIP_MAGIC, BrokenGzipError, gunzip
from imagecheck.image.manifest import Descriptor
from imagecheck.image.threaded_iterator import ThreadedIterator

CHUNK_BYTES: Final = 256 * 1024
"""How much is read at once of what is stored."""
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# Below it, starting a thread takes longer than it saves.
_THREAD_FROM = 2 * CHUNK_BYTES


class TooLargeError(Exception):
    """The layers have more bytes than Lambda takes."""


class UnreadableCompressionError(Exception):
    """The layer is compressed in a way that is not read here; the message names it."""


@contextmanager
def opened(
    blob: BinaryIO,
    descriptor: Descriptor,
    *,
    max_bytes: int,
    budget: Budget,
    progress: Callable[[int], object],
) -> Iterator["Content"]:
    """Give the uncompressed bytes, to be read to their end, and verify the compressed ones.

    Bytes that are not the descriptor's explain whatever else is wrong with them, so that is said.
    """
    raw = BlobReader(blob, descriptor, budget, progress)
    content: Content | None = None
    try:
        content = Content(raw, max_bytes, in_thread=descriptor.size > _THREAD_FROM)
        yield content
    except (DamagedImageError, UnreadableCompressionError):
        if content:
            # It reads the same bytes.
            content.close(wait=True)
        raw.drain()
        raw.verify()
        raise
    finally:
        if content:
            content.close()
    raw.verify()


class BlobReader:
    """The bytes as they are stored, counted and hashed."""

    def __init__(
        self,
        blob: BinaryIO,
        descriptor: Descriptor,
        budget: Budget,
        progress: Callable[[int], object] = lambda _: None,
    ) -> None:
        self.count = 0
        self._blob = blob
        self._descriptor = descriptor
        self._hash = hashlib.sha256()
        self._budget = budget
        self._progress = progress

    def read(self) -> bytes:
        """Return the next bytes; none are the end."""
        self._budget.look_at_clock()
        chunk = self._blob.read(CHUNK_BYTES)
        self._hash.update(chunk)
        self.count += len(chunk)
        if self.count > self._descriptor.size:
            raise WrongBytesError(
                f"blob {self._descriptor.digest} is longer than the {self._descriptor.size:,}"
                " bytes that the manifest says"
            )
        self._progress(len(chunk))
        return chunk

    def drain(self) -> None:
        """Read to the end, so that everything has been hashed."""
        while self.read():
            pass

    def verify(self) -> None:
        """Raise WrongBytesError unless these are the bytes of the descriptor."""
        digest = "sha256:" + self._hash.hexdigest()
        if (digest, self.count) != (self._descriptor.digest, self._descriptor.size):
            raise WrongBytesError(
                f"blob {self._descriptor.digest} should have {self._descriptor.size:,} bytes of"
                f" that digest; what is stored has {self.count:,} bytes and digest {digest}"
            )


class Content:
    """The uncompressed bytes: they can be skipped but not gone back to, and are never all held."""

    def __init__(self, raw: BlobReader, max_bytes: int, *, in_thread: bool) -> None:
        self._raw = raw
        self._max_bytes = max_bytes
        start = raw.read()
        self.is_gzip = start.startswith(GZIP_MAGIC)
        if start.startswith(_ZSTD_MAGIC):
            raise UnreadableCompressionError("zstd")
        chunks = _inflated(start, raw) if self.is_gzip else _plain(start, raw)
        self._ahead = ThreadedIterator(chunks) if in_thread else None
        self._chunks = iter(self._ahead) if self._ahead else chunks
        # Here, and not on a third thread: inflating takes longer than all the rest, so it would
        # save no time, and to hand the bytes on once more is not free.
        self._hash = hashlib.sha256()
        self._digest = ""
        self._chunk = b""
        self._used = 0
        self._before = 0
        """How many bytes came before the chunk."""

    @property
    def digest(self) -> str:
        """The digest of all bytes, once they have been read."""
        self._digest = self._digest or "sha256:" + self._hash.hexdigest()
        return self._digest

    def tell(self) -> int:
        """Return how many bytes have been read or skipped."""
        return self._before + self._used

    def seek(self, offset: int) -> int:
        """Skip what comes before the offset."""
        used = offset - self._before
        if used < self._used:
            raise DamagedImageError("a header of the layer has a size below zero")
        while used > len(self._chunk):
            if not self._next():
                raise DamagedImageError("the layer ends in the middle of a file")
            used = offset - self._before
        self._used = used
        return offset

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer only at the end."""
        end = self._used + size
        if end <= len(self._chunk):
            piece = self._chunk[self._used : end]
            self._used = end
            return piece
        pieces = []
        while size > 0:
            if self._used == len(self._chunk) and not self._next():
                break
            piece = self._chunk[self._used : self._used + size]
            self._used += len(piece)
            size -= len(piece)
            pieces.append(piece)
        return b"".join(pieces)

    def read_into(self, room: memoryview) -> int:
        """Fill the room with the next bytes, and say how many: fewer only at the end."""
        filled = 0
        while filled < len(room):
            if self._used == len(self._chunk) and not self._next():
                break
            count = min(len(room) - filled, len(self._chunk) - self._used)
            with memoryview(self._chunk) as chunk:
                room[filled : filled + count] = chunk[self._used : self._used + count]
            self._used += count
            filled += count
        return filled

    def drain(self) -> None:
        """Read to the end, so that everything has been hashed."""
        while self._next():
            pass

    def close(self, *, wait: bool = False) -> None:
        """End the thread."""
        if self._ahead:
            self._ahead.close(wait=wait)

    def _next(self) -> bool:
        """Come to the next chunk. False at the end, where the last one stays."""
        chunk = next(self._chunks, b"")
        if not chunk:
            self._used = len(self._chunk)
            return False
        self._before += len(self._chunk)
        self._chunk, self._used = chunk, 0
        if self._before + len(chunk) > self._max_bytes:
            raise TooLargeError
        self._hash.update(chunk)
        return True


def _plain(start: bytes, raw: BlobReader) -> Iterator[bytes]:
    chunk = start
    while chunk:
        yield chunk
        chunk = raw.read()


def _inflated(start: bytes, raw: BlobReader) -> Iterator[bytes]:
    try:
        yield from gunzip(start, raw.read)
    except BrokenGzipError as error:
        raise DamagedImageError(f"the layer: {error}") from error
