"""Tar archives that nobody vouches for.

Most members have one plain header, and that is read here. All else goes to the standard library's
reader, with bounds to its trust. What both read they read alike.
https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_92_13_06
"""

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final, Protocol, cast

from imagecheck.image.errors import DamagedImageError

MAX_HEADER_BYTES: Final = 1024**2
"""The most that the headers of one member may have: ``maxSpecialFileSize`` of Go's archive/tar."""

_BLOCK = tarfile.BLOCKSIZE
# Mode, owner, group, size, time and checksum as everybody writes them, and a type that is here.
_PLAIN = re.compile(
    rb"([0-7]{6}[0-7 ])\0[0-7]{7}\0[0-7]{7}\0([0-7]{11})[\0 ][0-7]{11}[\0 ]([0-7]{6})\0 ([0-5x])"
)
# The numbers of a device: the standard library reads them of every member.
_DEVICE = re.compile(rb"(?:[0-7]{7}\0|\0{8}){2}")
_MAX_PLAIN_PAX = 64 * 1024
_RECORD = re.compile(rb"([1-9][0-9]{0,5}) ([^=\n\0]+)=")
# What they say of a member is ignored.
_OTHER_RECORDS = ("mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment")
_OTHER_KINDS = ("SCHILY.xattr.", "LIBARCHIVE.")
_SUM_IS_SPACES = 256


class Seekable(Protocol):
    """What an archive is read from. ``seek`` only ever goes forward."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102
    def seek(self, offset: int, /) -> int: ...  # noqa: D102
    def tell(self) -> int: ...  # noqa: D102


@dataclass(slots=True)
class Member:
    """A member of an archive; its content is at ``offset``, in bytes from the archive's start."""

    name: str
    type: bytes
    mode: int
    size: int
    link: str
    """The name that a link leads to."""
    offset: int
    sparse: tuple[tuple[int, int], ...] | None = None
    """Offset and length of each stored piece of a sparse file; the rest are holes."""

    @property
    def is_file(self) -> bool:
        """Whether it has content of its own."""
        return self.type in tarfile.REGULAR_TYPES

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.type == tarfile.DIRTYPE

    @property
    def is_symlink(self) -> bool:
        """Whether it is a symbolic link."""
        return self.type == tarfile.SYMTYPE

    @property
    def is_hard_link(self) -> bool:
        """Whether it shares the content of another member."""
        return self.type == tarfile.LNKTYPE


def members(file: Seekable) -> Iterator[Member]:
    """Go through the members of an archive.

    Raises DamagedImageError when it is not a tar archive to its end.
    """
    headers = _Headers(file)
    library: tarfile.TarFile | None = None
    at = file.tell()
    try:
        while True:
            headers.begin(at)
            if plain := _plain_member(headers):
                member, at = plain
                yield member
                continue
            headers.go_back()
            if library is None:
                library = _library(headers)
                info, library.firstmember = library.firstmember, None  # type: ignore[attr-defined]
            else:
                library.offset = at
                info = library.next()
            if info is None:
                break
            # TarFile keeps every member that it has seen.
            library.members.clear()  # type: ignore[attr-defined]
            at = library.offset
            yield _member(info)
    except RecursionError as error:
        raise DamagedImageError("a member of the tar archive has too many headers") from error
    except (tarfile.TarError, ValueError, OverflowError) as error:
        if headers.tell() == 0:
            return  # No bytes at all are an archive of nothing, if not to TarFile.
        raise DamagedImageError(f"it is not a tar archive to its end: {error}") from error
    # TarFile takes what it cannot read for the end: that is two blocks of zeros, or nothing more.
    if headers.last.strip(b"\0") or headers.read(_BLOCK).strip(b"\0"):
        raise DamagedImageError(
            f"it is not a tar archive to its end: no header before byte {file.tell():,}"
        )


def _library(headers: "_Headers") -> tarfile.TarFile:
    """Let the standard library read, from here on. It reads a member at once."""
    return tarfile.TarFile(
        fileobj=cast("IO[bytes]", headers),
        encoding="utf-8",
        errors="backslashreplace",
        pax_headers=_Nothing(),
    )


def _member(info: tarfile.TarInfo) -> Member:
    sparse = getattr(info, "sparse", None)
    return Member(
        info.name,
        info.type,
        info.mode,
        info.size,
        info.linkname,
        info.offset_data,
        tuple(sparse) if sparse is not None else None,
    )


def _plain_member(headers: "_Headers") -> tuple[Member, int] | None:
    """Read a plain header, maybe with PAX records before it, and say where the next one is.

    None is for whatever is not as expected.
    """
    start = headers.tell()
    header = headers.read(_BLOCK)
    found = _header(header)
    if not found:
        return None
    records: dict[str, str] = {}
    after = start + _BLOCK
    if found.type == b"x":
        if not 0 < found.size <= _MAX_PLAIN_PAX:
            return None
        padded = -found.size % _BLOCK + found.size
        read = _records(headers.read(padded)[: found.size])
        after += padded + _BLOCK
        found = _header(headers.read(_BLOCK)) if read is not None else None
        if read is None or found is None or found.type == b"x":
            return None
        records = read
    found.offset = after
    if path := records.get("path"):
        found.name = path.rstrip("/")
    if target := records.get("linkpath"):
        found.link = target
    if found.type == tarfile.DIRTYPE:
        found.name = found.name.rstrip("/")
    return found, after + (found.size + -found.size % _BLOCK if found.is_file else 0)


def _header(header: bytes) -> Member | None:
    if len(header) != _BLOCK:
        return None
    plain = _PLAIN.match(header, 100)
    if not plain or not _DEVICE.match(header, 329):
        return None
    mode, size, checksum, type_ = plain.groups()
    if sum(header) - sum(header[148:156]) + _SUM_IS_SPACES != int(checksum, 8):
        return None
    name = header[:100].partition(b"\0")[0]
    if header[345]:
        name = header[345:500].partition(b"\0")[0] + b"/" + name
    link = header[157:257].partition(b"\0")[0]
    return Member(_text(name), type_, int(mode, 8), int(size, 8), _text(link), 0)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")


def _records(content: bytes) -> dict[str, str] | None:
    """Read PAX records; None where anything in them is not as expected."""
    found: dict[str, str] = {}
    at = 0
    while at < len(content):
        record = _RECORD.match(content, at)
        end = at + int(record[1]) if record else 0
        if not record or not record.end() < end <= len(content) or content[end - 1 : end] != b"\n":
            return None
        name, value = record[2].decode("ascii", "replace"), content[record.end() : end - 1]
        if name in ("path", "linkpath"):
            try:
                found[name] = value.decode("utf-8")
            except UnicodeDecodeError:
                return None
            if not value.strip(b"/") or b"\0" in value:
                return None
        elif name not in _OTHER_RECORDS and not name.startswith(_OTHER_KINDS):
            return None
        at = end
    return found


class _Headers:
    """What is read of an archive beside the content of its members; it can be read once more."""

    def __init__(self, file: Seekable) -> None:
        self.last = b""
        self._file = file
        self._left = MAX_HEADER_BYTES
        self._kept: list[bytes] | None = None
        """What was read since the member began, as long as it may be asked for again."""
        self._again = b""

    def begin(self, start: int) -> None:
        """Come to a member."""
        self._left = MAX_HEADER_BYTES
        if start != self.tell():
            self.seek(start - 1)
            if not self._file.read(1):
                raise tarfile.ReadError("unexpected end of data")
        self._kept = []

    def go_back(self) -> None:
        """Let all be read again that was read since the member began."""
        self._again = b"".join(self._kept or [])
        self._kept = None
        self._left = MAX_HEADER_BYTES

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self._left:
            raise DamagedImageError("a member of the tar archive has headers without end")
        self._left -= size
        self.last, self._again = self._again[:size], self._again[size:]
        if len(self.last) < size:
            self.last += self._file.read(size - len(self.last))
        if self._kept is not None:
            self._kept.append(self.last)
        return self.last

    def seek(self, offset: int) -> int:
        self._again = b""
        return self._file.seek(offset)

    def tell(self) -> int:
        return self._file.tell() - len(self._again)


class _Nothing(dict[str, str]):
    """What global PAX headers say. Docker and containerd leave it out, and it would pile up."""

    def __setitem__(self, *_: Any) -> None:
        pass
