"""A layer, read as a stream: what it holds is listed, and nothing is unpacked.

https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md
"""

import posixpath
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import BinaryIO, Final

import msgspec

from imagecheck.budget import Budget
from imagecheck.image.content import Content, TooLargeError, opened
from imagecheck.image.elf import MAGIC, Elf
from imagecheck.image.elf_reader import HEAD_BYTES, Piece, later_pieces, read_elf
from imagecheck.image.errors import DamagedImageError, ImageReadError
from imagecheck.image.manifest import Descriptor
from imagecheck.image.member_file import MemberFile
from imagecheck.image.prefetched_files import PrefetchedFiles
from imagecheck.image.tar import Member, members

MAX_IMAGE_BYTES: Final = 10 * 1024**3
"""The most that all layers of an image may have, uncompressed.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""
MAX_LISTING_BYTES: Final = 320 * 1024**2
"""The most that is kept of all layers: room for a million files with usual names."""
MAX_FILE_BYTES: Final = 1024**2
"""How much of a file is returned where its content is asked for, and nothing else is said."""
MAX_CONTENTS_BYTES: Final = 128 * 1024**2
"""The most that is returned of all files that are asked for at once."""
HEAD: Final = 256
"""How many bytes of a program the kernel looks at: ``BINPRM_BUF_SIZE`` of linux/binfmts.h."""

# A member takes that long to read, and what is kept of it that long to use.
_STEPS = 10
# What deflate makes of zeros. A file that has more bytes than that is damaged.
_MAX_RATIO = 1040
_ENTRY_BYTES = 256
_TEXT_BYTES = 56
# PATH_MAX of linux/limits.h.
_MAX_PATH = 4096
_NATIVE_MODULE = (".node", ".so", ".pyd", ".dylib")
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


TOO_MANY_FILES: Final = "the image has more files than are read: about a million"


class FileKind(StrEnum):
    """What a member of a layer is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    HARDLINK = "hard link"
    OTHER = "device, pipe or socket"


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A member of a layer. Paths are absolute and normalised: nothing is above ``/``."""

    path: str
    kind: FileKind
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
    budget: Budget | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> Layer:
    """Read a layer to its end; memory does not grow with the size of its files.

    ``progress`` is told the number of compressed bytes each time some have been read, maybe from
    another thread.

    Raises:
        WrongBytesError: the bytes are not those of the descriptor.
        DamagedImageError: they are, but they are no layer.
        TooLargeError: there are more than ``max_bytes`` when uncompressed.
        UnreadableCompressionError: it is compressed with something other than gzip.
        ImageReadError: there are too many files, or the budget is used up.

    """
    budget = budget or Budget()
    with opened(blob, descriptor, max_bytes=max_bytes, budget=budget, progress=progress) as content:
        entries: list[Entry] = []
        removed: list[str] = []
        emptied: list[str] = []
        listing_bytes = 0
        possible = descriptor.size * _MAX_RATIO
        room = _Room()
        for member in _members(content, budget):
            end = member.offset + (0 if member.sparse or not member.is_file else member.size)
            if max_bytes < end <= possible:
                raise TooLargeError
            path = _path(member.name)
            folder, name = posixpath.split(path)
            listing_bytes += _ENTRY_BYTES + len(path)
            if not name.startswith(_WHITEOUT):
                entry = _entry(path, member, content, room)
                listing_bytes += _length(entry)
                entries.append(entry)
            elif name == _OPAQUE:
                emptied.append(folder)
            elif name.startswith(_WHITEOUT * 2):
                continue  # what AUFS keeps for itself
            else:
                removed.append(posixpath.join(folder, name.removeprefix(_WHITEOUT)))
            if listing_bytes > max_listing_bytes:
                raise ImageReadError(TOO_MANY_FILES)
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
    limits: Mapping[str, int],
    *,
    ahead: PrefetchedFiles | None = None,
    budget: Budget | None = None,
    progress: Callable[[int], object] = lambda _: None,
) -> dict[str, bytes]:
    """Return the content of some files of a layer that ``read_layer`` has read before.

    ``limits`` says of each path after how many bytes the file is cut off. What may be asked for
    next is put into ``ahead``. Raises as ``read_layer`` does, and ImageReadError when the files
    are more than ``MAX_CONTENTS_BYTES`` together.
    """
    budget = budget or Budget()
    found: dict[str, bytes] = {}
    left = MAX_CONTENTS_BYTES
    with opened(
        blob, descriptor, max_bytes=MAX_IMAGE_BYTES, budget=budget, progress=progress
    ) as content:
        for member in _members(content, budget):
            path = _path(member.name)
            if not member.is_file:
                continue
            if path in limits:
                left += len(found.pop(path, b""))
                found[path] = MemberFile(member, content).read(min(limits[path], left + 1))
                left -= len(found[path])
                if left < 0:
                    raise ImageReadError("the files that would have to be read are too large")
            elif ahead and ahead.wants(path, member.size):
                source = MemberFile(member, content).read(member.size)
                ahead.keep(descriptor.digest, path, source)
        content.drain()
    return found


def _members(content: Content, budget: Budget) -> Iterator[Member]:
    try:
        for member in members(content):
            budget.spend(_STEPS)
            yield member
    except DamagedImageError as error:
        raise DamagedImageError(f"the layer cannot be unpacked: {error}") from error


def _path(name: str) -> str:
    if len(name) >= _MAX_PATH:
        raise DamagedImageError("the layer has a name that is too long for any file system")
    return posixpath.normpath("/" + name.lstrip("/"))


def _entry(path: str, member: Member, content: Content, room: "_Room") -> Entry:
    mode = member.mode & 0o7777
    if member.is_file:
        return _file_entry(path, mode, member, content, room)
    if member.is_directory:
        return Entry(path, FileKind.DIRECTORY, mode)
    if member.is_symlink:
        if not 0 < len(member.link) < _MAX_PATH:
            raise DamagedImageError(f"the layer has a symlink {path} to what cannot be a path")
        return Entry(path, FileKind.SYMLINK, mode, target=member.link)
    if member.is_hard_link:
        return Entry(path, FileKind.HARDLINK, mode, target=_path(member.link))
    return Entry(path, FileKind.OTHER, mode)


def _file_entry(path: str, mode: int, member: Member, content: Content, room: "_Room") -> Entry:
    if member.sparse is None:
        content.seek(member.offset)
        head = content.read(min(HEAD, member.size))
        if len(head) < min(HEAD, member.size):
            raise DamagedImageError("the layer ends in the middle of a file")
        file = MemberFile(member, content, len(head)) if head.startswith(MAGIC) else None
    else:
        file = MemberFile(member, content)
        head = file.read(HEAD)
    if file and head.startswith(MAGIC):
        return Entry(
            path, FileKind.FILE, mode, member.size, elf=_elf(file, head, member.size, room)
        )
    keeps_head = mode & 0o111 or path.endswith(_NATIVE_MODULE)
    return Entry(path, FileKind.FILE, mode, member.size, head=head if keeps_head else b"")


def _length(entry: Entry) -> int:
    """Count what is kept of a file beside its path."""
    elf = entry.elf
    texts: list[str] = [entry.target]
    if elf:
        texts += [elf.interpreter or "", elf.soname, *elf.needed, *elf.search_path]
        texts += [text for v in elf.needs_versions for text in (v.library, v.version)]
        texts += elf.has_versions
    return len(entry.head) + sum(map(len, texts)) + _TEXT_BYTES * (len(texts) - 1)


def _elf(file: MemberFile, start: bytes, size: int, room: "_Room") -> Elf:
    """Read an ELF file whose start was taken from it already."""
    head = room.of(min(size, HEAD_BYTES))
    head[: len(start)] = start
    at = len(start) + file.read_into(head[len(start) :])
    head = head[:at]
    later = []
    for offset, length in later_pieces(head, size) if size > at else ():
        file.skip(offset - at)
        later.append(Piece(offset, file.read(length)))
        at = offset + length
    return read_elf(head, size, tuple(later))


class _Room:
    """Room for the start of one ELF file after the other.

    Memory that is fresh each time takes longer to get than to fill.
    """

    def __init__(self) -> None:
        self._room = memoryview(b"")

    def of(self, size: int) -> memoryview:
        """Return a buffer of so many bytes; its previous content is no longer needed."""
        if size > len(self._room):
            self._room = memoryview(bytearray(min(max(size, 2 * len(self._room)), HEAD_BYTES)))
        return self._room[:size]
