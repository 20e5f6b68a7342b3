"""A layer, read as a stream: what it holds is listed, and nothing is unpacked.

https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
"""

import hashlib
import io
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import BinaryIO, Final

import msgspec

from release.image.elf import HEAD_BYTES, MAGIC, Elf, dynamic_segment, read_elf
from release.image.errors import CannotLookError, DamagedImageError, WrongBytesError
from release.image.manifest import Descriptor

MAX_IMAGE_BYTES: Final = 10 * 1024**3
"""The most that all layers of an image may have, uncompressed.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
MAX_MEMBERS: Final = 1_000_000
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
# What tarfile asks for in one piece is a header, a name or PAX records: never this much.
_MAX_REQUEST = 2 * 1024**2
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


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
    """The first ``HEAD`` bytes of an executable file, unless it is an ELF file."""
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


def read_layer(
    blob: BinaryIO,
    descriptor: Descriptor,
    *,
    max_bytes: int = MAX_IMAGE_BYTES,
    progress: Callable[[int], object] = lambda _: None,
) -> Layer:
    """Read a layer to its end; memory does not grow with the size of its files.

    ``progress`` is told the number of compressed bytes each time some have been read.

    Raises:
        WrongBytesError: the bytes are not those of the descriptor.
        DamagedImageError: they are, but they are no layer.
        TooLargeError: there are more than ``max_bytes`` when uncompressed.
        UnreadableCompressionError: it is compressed with something other than gzip.
        CannotLookError: reading it would not end well: a decompression bomb, too many members.

    """
    with _opened(blob, descriptor, max_bytes, progress) as content:
        entries: list[Entry] = []
        removed: list[str] = []
        emptied: list[str] = []
        for tar, member in _members(content):
            path = _path(member)
            folder, name = posixpath.split(path)
            if name == _OPAQUE:
                emptied.append(folder)
            elif name.startswith(_WHITEOUT * 2):
                continue  # what AUFS keeps for itself
            elif name.startswith(_WHITEOUT):
                removed.append(posixpath.join(folder, name.removeprefix(_WHITEOUT)))
            else:
                entries.append(_entry(tar, member, content))
        content.drain()
        return Layer(
            diff_id=content.digest,
            size=content.tell(),
            is_gzip=content.is_gzip,
            entries=tuple(entries),
            removed=tuple(removed),
            emptied=tuple(emptied),
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
        for tar, member in _members(content):
            if _path(member) in paths and member.isreg():
                found[_path(member)] = _Member(tar, member, content).read(MAX_FILE_BYTES)
        content.drain()
    return found


def _members(content: "_Content") -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    try:
        with tarfile.TarFile(fileobj=content, encoding="utf-8", errors="backslashreplace") as tar:
            for _ in range(MAX_MEMBERS):
                member = tar.next()
                # TarFile keeps every member that it has seen.
                tar.members.clear()  # type: ignore[attr-defined]  # not in typeshed
                if member is None:
                    break
                yield tar, member
            else:
                raise CannotLookError(f"a layer of the image has more than {MAX_MEMBERS:,} files")
    except (tarfile.TarError, ValueError, OverflowError) as error:
        raise DamagedImageError(f"the layer is not a tar archive to its end: {error}") from None
    if content.last_header.strip(b"\0"):
        raise DamagedImageError(
            f"the layer is not a tar archive to its end: no header before byte {content.tell():,}"
        )


def _path(member: tarfile.TarInfo) -> str:
    return posixpath.normpath("/" + member.name.lstrip("/"))


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo, content: "_Content") -> Entry:
    path = _path(member)
    mode = member.mode & 0o7777
    if member.isdir():
        return Entry(path, Kind.DIRECTORY, mode)
    if member.issym():
        return Entry(path, Kind.SYMLINK, mode, target=member.linkname)
    if member.islnk():
        target = posixpath.normpath("/" + member.linkname.lstrip("/"))
        return Entry(path, Kind.HARDLINK, mode, target=target)
    if not member.isreg():
        return Entry(path, Kind.OTHER, mode)
    file = _Member(tar, member, content)
    head = file.read(HEAD)
    if head.startswith(MAGIC):
        return Entry(path, Kind.FILE, mode, member.size, elf=_elf(file, head, member.size))
    return Entry(path, Kind.FILE, mode, member.size, head=head if mode & 0o111 else b"")


def _elf(file: "_Member", head: bytes, size: int) -> Elf:
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
    """Give the uncompressed bytes, and hold the compressed ones against the descriptor.

    Bytes that are not the descriptor's explain whatever else is wrong with them, so that is said.
    """
    raw = _Blob(blob, descriptor, progress)
    try:
        yield _Content(raw, max_bytes)
    except (DamagedImageError, UnreadableCompressionError):
        raw.drain()
        raw.verify()
        raise
    raw.drain()
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


class _Content(io.RawIOBase):
    """The uncompressed bytes: they can be skipped but not gone back to, and are never all held.

    It has what tarfile wants of a file.
    """

    def __init__(self, raw: _Blob, max_bytes: int) -> None:
        self.last_header = b""
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

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET or offset < self._at:
            raise ValueError("a layer is read from its start to its end")
        while self._at < offset:
            if not self._take(min(offset - self._at, _CHUNK)):
                raise DamagedImageError("the layer ends in the middle of a file")
        return self._at

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MAX_REQUEST:
            raise DamagedImageError(f"a header of the layer claims to have {size:,} bytes")
        self.last_header = self.read_on(size)
        return self.last_header

    def read_on(self, size: int) -> bytes:
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
    """The bytes of the file that tarfile has just come to, from the first one on."""

    def __init__(self, tar: tarfile.TarFile, member: tarfile.TarInfo, content: _Content) -> None:
        self._left = member.size
        # What a sparse file lacks is put in by tarfile.
        sparse = tar.extractfile(member) if member.issparse() else None
        self._read = sparse.read if sparse else content.read_on
        if not sparse:
            content.seek(member.offset_data)

    def read(self, size: int) -> bytes:
        """Return the next bytes: fewer only at the end of the file."""
        size = min(size, self._left)
        piece = self._read(size)
        if len(piece) < size:
            raise DamagedImageError("the layer ends in the middle of a file")
        self._left -= size
        return piece

    def skip(self, size: int) -> None:
        """Leave some bytes out."""
        while size > 0:
            size -= len(self.read(min(size, _CHUNK)))
