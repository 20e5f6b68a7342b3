"""A layer, read as a stream: what it holds is listed, and nothing is unpacked.

https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
"""

import hashlib
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import BinaryIO, Final

import msgspec

from imagecheck.image.elf import MAGIC, Elf
from imagecheck.image.errors import CannotLookError, DamagedImageError, WrongBytesError
from imagecheck.image.manifest import Descriptor
from imagecheck.image.tar import members

MAX_IMAGE_BYTES: Final = 10 * 1024**3
"""The most that all layers of an image may have, uncompressed.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
MAX_LISTING_BYTES: Final = 320 * 1024**2
"""The most that is kept of all layers: room for a million files with usual names."""
MAX_RATIO: Final = 200
"""How many bytes one byte of a layer may become; true layers have less than 20."""
RATIO_MATTERS_FROM: Final = 64 * 1024**2
MAX_FILE_BYTES: Final = 1024**2
"""How much of a file is returned where its content is asked for."""
HEAD: Final = 256
"""How many bytes of a program the kernel looks at: ``BINPRM_BUF_SIZE`` of linux/binfmts.h."""

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_CHUNK = 256 * 1024
_ENTRY_BYTES = 256
_TEXT_BYTES = 56
# PATH_MAX of linux/limits.h.
_MAX_PATH = 4096
_NATIVE_MODULE = (".node", ".so", ".pyd", ".dylib")
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


TOO_MANY_FILES: Final = "the image has more files than are looked at: a million or so"


class TooLargeError(Exception):
    """The layers have more bytes than Lambda takes."""


class UnreadableCompressionError(Exception):
    """The layer is compressed in a way that is not read here; the message names it."""


class Kind(StrEnum):
    """What a member of a layer is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    HARDLINK = "hard link"
    OTHER = "device, pipe or socket"


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A member of a layer. Paths are absolute and normalised: nothing is above ``/``."""

    path: str
    kind: Kind
    mode: int
    """The permission bits, with setuid, setgid and sticky."""
    size: int = 0
    target: str = ""
    """The text of a symlink; the path that a hard link shares its file with."""
    head: bytes = b""
    """The first ``HEAD`` bytes of a file that is executable, or named like a native module, and is
    no ELF file."""
    elf: Elf | None = None


class Layer(msgspec.Struct, frozen=True, array_like=True):
    """What one layer adds and removes. Removals apply to the layers below it."""

    diff_id: str
    """The digest of the uncompressed bytes."""
    size: int
    """The number of uncompressed bytes."""
    is_gzip: bool
    entries: tuple[Entry, ...]
    removed: tuple[str, ...]
    emptied: tuple[str, ...]
    """Directories of which nothing from below is left (opaque whiteouts)."""
    listing_bytes: int
    """About the memory that keeping all this takes."""


def read_layer(
    blob: BinaryIO,
    descriptor: Descriptor,
    *,
    max_bytes: int = MAX_IMAGE_BYTES,
    max_listing_bytes: int = MAX_LISTING_BYTES,
    progress: Callable[[int], object] = lambda _: None,
) -> Layer:
    """Read a layer to its end; memory does not grow with the size of its files.

    ``progress`` is told the number of compressed bytes each time some have been read.

    Raises:
        WrongBytesError: the bytes are not those of the descriptor.
        DamagedImageError: they are, but they are no layer.
        TooLargeError: there are more than ``max_bytes`` when uncompressed.
        UnreadableCompressionError: it is compressed with something other than gzip.
        CannotLookError: reading it would not end well: a decompression bomb, too many files.

    """
    with _opened(blob, descriptor, max_bytes, progress) as content:
        entries: list[Entry] = []
        removed: list[str] = []
        emptied: list[str] = []
        listing_bytes = 0
        for member in _members(content):
            path = _path(member.name)
            folder, name = posixpath.split(path)
            listing_bytes += _ENTRY_BYTES + len(path)
            if name == _OPAQUE:
                emptied.append(folder)
            elif name.startswith(_WHITEOUT * 2):
                continue  # what AUFS keeps for itself
            elif name.startswith(_WHITEOUT):
                removed.append(posixpath.join(folder, name.removeprefix(_WHITEOUT)))
            else:
                entry = _entry(path, member, content)
                listing_bytes += _length(entry)
                entries.append(entry)
            if listing_bytes > max_listing_bytes:
                raise CannotLookError(TOO_MANY_FILES)
        content.drain()
        return Layer(
            diff_id=content.digest,
            size=content.tell(),
            is_gzip=content.is_gzip,
            entries=tuple(entries),
            removed=tuple(removed),
            emptied=tuple(emptied),
            listing_bytes=listing_bytes,
        )


def read_files(
    blob: BinaryIO,
    descriptor: Descriptor,
    paths: frozenset[str],
    progress: Callable[[int], object] = lambda _: None,
) -> dict[str, bytes]:
    """Return the content of some files of a layer that ``read_layer`` has read before.

    A file is cut off after ``MAX_FILE_BYTES``. Raises as ``read_layer`` does.
    """
    found = {}
    with _opened(blob, descriptor, MAX_IMAGE_BYTES, progress) as content:
        for member in _members(content):
            path = _path(member.name)
            if path in paths and member.isreg():
                found[path] = _Member(member, content).read(MAX_FILE_BYTES)
        content.drain()
    return found


def _members(content: "_Content") -> Iterator[tarfile.TarInfo]:
    try:
        yield from members(content)
    except DamagedImageError as error:
        raise DamagedImageError(f"the layer cannot be unpacked: {error}") from None


def _path(name: str) -> str:
    if len(name) >= _MAX_PATH:
        raise DamagedImageError("the layer has a name that is too long for any file system")
    return posixpath.normpath("/" + name.lstrip("/"))


def _entry(path: str, member: tarfile.TarInfo, content: "_Content") -> Entry:
    mode = member.mode & 0o7777
    if member.isdir():
        return Entry(path, Kind.DIRECTORY, mode)
    if member.issym():
        if not 0 < len(member.linkname) < _MAX_PATH:
            raise DamagedImageError(f"the layer has a symlink {path} to what cannot be a path")
        return Entry(path, Kind.SYMLINK, mode, target=member.linkname)
    if member.islnk():
        return Entry(path, Kind.HARDLINK, mode, target=_path(member.linkname))
    if not member.isreg():
        return Entry(path, Kind.OTHER, mode)
    file = _Member(member, content)
    head = file.read(HEAD)
    if head.startswith(MAGIC):
        return Entry(path, Kind.FILE, mode, member.size, elf=_elf(file, head, member.size))
    keeps_head = mode & 0o111 or path.endswith(_NATIVE_MODULE)
    return Entry(path, Kind.FILE, mode, member.size, head=head if keeps_head else b"")


def _length(entry: Entry) -> int:
    """Count what is kept of a file beside its path."""
    elf = entry.elf
    texts: list[str] = [entry.target]
    if elf:
        texts += [elf.interpreter or "", elf.soname, *elf.needed, *elf.search_path]
        texts += [text for v in elf.needs_versions for text in (v.library, v.version)]
        texts += elf.has_versions
    return len(entry.head) + sum(map(len, texts)) + _TEXT_BYTES * (len(texts) - 1)


def _elf(file: "_Member", head: bytes, size: int) -> Elf:
    # As slow to import as all the rest together, and a layer in the cache does not need it.
    from imagecheck.image.elf_reader import HEAD_BYTES, dynamic_segment, read_elf

    head += file.read(HEAD_BYTES - len(head))
    offset, length = dynamic_segment(head)
    if not len(head) <= offset <= size - length:
        return read_elf(head, size)
    file.skip(offset - len(head))
    return read_elf(head, size, (offset, file.read(length)))


@contextmanager
def _opened(
    blob: BinaryIO,
    descriptor: Descriptor,
    max_bytes: int,
    progress: Callable[[int], object],
) -> Iterator["_Content"]:
    """Give the uncompressed bytes, to be read to their end, and verify the compressed ones.

    Bytes that are not the descriptor's explain whatever else is wrong with them, so that is said.
    """
    raw = _Blob(blob, descriptor, progress)
    try:
        yield _Content(raw, max_bytes)
    except (DamagedImageError, UnreadableCompressionError):
        raw.drain()
        raw.verify()
        raise
    raw.verify()


class _Blob:
    """The bytes as they are stored, counted and hashed."""

    def __init__(
        self, blob: BinaryIO, descriptor: Descriptor, progress: Callable[[int], object]
    ) -> None:
        self.count = 0
        self._blob = blob
        self._descriptor = descriptor
        self._hash = hashlib.sha256()
        self._progress = progress

    def read(self) -> bytes:
        chunk = self._blob.read(_CHUNK)
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
        while self.read():
            pass

    def verify(self) -> None:
        digest = "sha256:" + self._hash.hexdigest()
        if (digest, self.count) != (self._descriptor.digest, self._descriptor.size):
            raise WrongBytesError(
                f"blob {self._descriptor.digest} should have {self._descriptor.size:,} bytes of"
                f" that digest; what is stored has {self.count:,} bytes and digest {digest}"
            )


class _Content:
    """The uncompressed bytes: they can be skipped but not gone back to, and are never all held."""

    def __init__(self, raw: _Blob, max_bytes: int) -> None:
        self._raw = raw
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self._chunk = b""
        self._used = 0
        self._at = 0
        self._start = raw.read()
        self.is_gzip = self._start.startswith(_GZIP_MAGIC)
        if self._start.startswith(_ZSTD_MAGIC):
            raise UnreadableCompressionError("zstd")
        self._chunks = self._gunzip() if self.is_gzip else self._plain()

    @property
    def digest(self) -> str:
        """The digest of what has been read."""
        return "sha256:" + self._hash.hexdigest()

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int) -> int:
        if offset < self._at:
            raise DamagedImageError("a header of the layer has a size below zero")
        while self._at < offset:
            if not self._take(min(offset - self._at, _CHUNK)):
                raise DamagedImageError("the layer ends in the middle of a file")
        return self._at

    def read(self, size: int) -> bytes:
        """Return the next bytes, fewer only at the end."""
        pieces = []
        while size > 0 and (piece := self._take(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def drain(self) -> None:
        """Read to the end, so that everything has been hashed."""
        while self._take(_CHUNK):
            pass

    def _take(self, size: int) -> bytes:
        if self._used == len(self._chunk):
            self._chunk, self._used = next(self._chunks, b""), 0
            self._hash.update(self._chunk)
        piece = self._chunk[self._used : self._used + size]
        self._used += len(piece)
        self._at += len(piece)
        if self._at > self._max_bytes:
            raise TooLargeError
        if self._at > max(RATIO_MATTERS_FROM, MAX_RATIO * self._raw.count):
            raise CannotLookError(
                f"a layer of the image is a decompression bomb: its first {self._raw.count:,} bytes"
                f" become more than {self._at:,}; nothing after them was read"
            )
        return piece

    def _plain(self) -> Iterator[bytes]:
        chunk = self._start
        while chunk:
            yield chunk
            chunk = self._raw.read()

    def _gunzip(self) -> Iterator[bytes]:
        """Uncompress one gzip stream after the other, never more than a chunk ahead."""
        chunk = self._start
        try:
            while chunk:
                stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
                while not stream.eof:
                    piece = stream.decompress(chunk, _CHUNK)
                    chunk = stream.unconsumed_tail
                    if piece:
                        yield piece
                    if not chunk and len(piece) < _CHUNK and not stream.eof:
                        chunk = self._raw.read()
                        if not chunk:
                            raise DamagedImageError("the layer's gzip stream is cut off")
                chunk = stream.unused_data or self._raw.read()
        except zlib.error as error:
            raise DamagedImageError(f"the layer's gzip stream is broken: {error}") from None


class _Member:
    """The bytes of the file that the layer has just come to, from the first one on."""

    def __init__(self, member: tarfile.TarInfo, content: _Content) -> None:
        content.seek(member.offset_data)
        self._content = content
        self._pieces = _pieces(member)
        self._stored, self._left = next(self._pieces)

    def read(self, size: int) -> bytes:
        """Return the next bytes: fewer only at the end of the file."""
        return b"".join(self._take(size, keep=True))

    def skip(self, size: int) -> None:
        """Leave some bytes out."""
        for _ in self._take(size, keep=False):
            pass

    def _take(self, size: int, *, keep: bool) -> Iterator[bytes]:
        while size > 0:
            if not self._left:
                self._stored, self._left = next(self._pieces, (False, 0))
                if not self._left:
                    return
            count = min(size, self._left)
            if self._stored and not keep:
                self._content.seek(self._content.tell() + count)
            elif self._stored:
                piece = self._content.read(count)
                if len(piece) < count:
                    raise DamagedImageError("the layer ends in the middle of a file")
                yield piece
            elif keep:
                yield bytes(count)
            self._left -= count
            size -= count


def _pieces(member: tarfile.TarInfo) -> Iterator[tuple[bool, int]]:
    """Give the lengths of the pieces of a file, and whether each is stored or a hole."""
    at = 0
    for offset, length in getattr(member, "sparse", None) or [(0, member.size)]:
        if offset < at or length < 0 or offset + length > member.size:
            raise DamagedImageError(f"the pieces of {member.name} do not add up to a file")
        if offset > at:
            yield False, offset - at
        if length:
            yield True, length
        at = offset + length
    yield False, member.size - at
