"""Files by name, in a folder or in a tar archive that is not unpacked."""

import os
import posixpath
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, cast

from imagecheck.budget import Budget
from imagecheck.image.errors import DamagedImageError, ImageReadError
from imagecheck.image.gunzip import GZIP_MAGIC, PIECE_BYTES, BrokenGzipError, gunzip
from imagecheck.image.tar import members

_MAX_MEMBERS = 10_000
_MAX_NAME = 4096
_MAX_LINKS = 8
# Layers of 10 GiB, and what is around them.
_MAX_ARCHIVE_BYTES = 11 * 1024**3
_COMPRESSED = (
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd --decompress"),
    (b"\xfd7zXZ\0", "xz", "xz --decompress --keep"),
    (b"BZh", "bzip2", "bzip2 --decompress --keep"),
)
_MAGIC_BYTES = 6
# FAT, with two seconds, has the coarsest clock.
_TICK_SECONDS = 2.0


class Files(Protocol):
    """Opens files by their names, which have slashes in them and never lead outside.

    ``open``, ``size`` and ``stamp`` raise FileNotFoundError for a name that is not there, and
    ImageReadError when what is there cannot be read.
    """

    def open(self, name: str) -> BinaryIO:
        """Open a file, to be closed by who asked."""
        ...

    def size(self, name: str) -> int:
        """Return the length of a file in bytes."""
        ...

    def stamp(self, name: str) -> str:
        """Return what changes whenever a file's bytes may have; empty while that is not sure."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


class FolderFiles:
    """The files of a folder."""

    def __init__(self, folder: Path) -> None:
        with _translate_os_errors(folder):
            is_folder = stat.S_ISDIR(folder.stat().st_mode)
        if not is_folder:
            raise ImageReadError(f"{folder} is not a folder")
        self._folder = folder

    def open(self, name: str) -> BinaryIO:
        """See Files."""
        self.size(name)
        with _translate_os_errors(self._folder / name):
            return cast("BinaryIO", _Readable((self._folder / name).open("rb")))

    def size(self, name: str) -> int:
        """See Files."""
        path = self._folder / name
        try:
            found = path.stat()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ImageReadError(f"{path}: {error.strerror}") from error
        # Opening a pipe would wait for its writer.
        if not stat.S_ISREG(found.st_mode):
            raise ImageReadError(f"{path} is not a file")
        return found.st_size

    def stamp(self, name: str) -> str:
        """See Files."""
        self.size(name)
        with _translate_os_errors(self._folder / name):
            return _stamp((self._folder / name).stat())

    def close(self) -> None:
        """See Files."""


class TarFiles:
    """The files of a tar archive, read where they lie; of one in gzip, from an unpacked copy."""

    def __init__(self, archive: Path, budget: Budget | None = None) -> None:
        with _translate_os_errors(archive):
            if not stat.S_ISREG(archive.stat().st_mode):
                raise ImageReadError(
                    f"{archive} is not a file", hint="write what a pipe brings to a file first"
                )
            self._file: BinaryIO = archive.open("rb")
        try:
            with _translate_os_errors(archive):
                start = self._file.read(_MAGIC_BYTES)
                self._file.seek(0)
                if start.startswith(GZIP_MAGIC):
                    self._file = _unpacked(self._file, archive, budget or Budget())
                self._members = dict(_members(self._file))
        except BrokenGzipError as error:
            raise ImageReadError(f"{archive} cannot be read to its end: {error}") from error
        except DamagedImageError as error:
            self._file.close()
            raise ImageReadError(
                f"{archive} is not a tar archive ({error})", hint=_hint(start, archive)
            ) from error

    def open(self, name: str) -> BinaryIO:
        """See Files."""
        member = self._find(name)
        return cast("BinaryIO", _Readable(_Section(self._file, member.start, member.size)))

    def size(self, name: str) -> int:
        """See Files."""
        return self._find(name).size

    def stamp(self, name: str) -> str:
        """See Files."""
        member = self._find(name)
        stamp = _stamp(os.fstat(self._file.fileno()))
        return stamp and f"{stamp} {member.start} {member.size}"

    def close(self) -> None:
        """See Files."""
        self._file.close()

    def _find(self, name: str) -> "_Member":
        """Follow the links with which ``docker save`` of old stores a layer once."""
        for _ in range(_MAX_LINKS):
            member = self._members.get(posixpath.normpath(name))
            if member is None:
                break
            if member.link is None:
                return member
            name = member.link
        raise FileNotFoundError(name)


class _Member(NamedTuple):
    start: int
    size: int
    link: str | None
    """The name of the member that this one is a link to."""


def _members(file: BinaryIO) -> Iterator[tuple[str, _Member]]:
    for number, member in enumerate(members(file)):
        name = posixpath.normpath(member.name)
        if number >= _MAX_MEMBERS or len(name) > _MAX_NAME or len(member.link) > _MAX_NAME:
            raise DamagedImageError("it has too many files for an image, or too long names")
        if member.is_symlink:
            link = posixpath.join(posixpath.dirname(name), member.link)
            yield name, _Member(0, 0, link)
        elif member.is_hard_link:
            yield name, _Member(0, 0, member.link)
        elif member.is_file and member.sparse is None:
            yield name, _Member(member.offset, member.size, None)


class _Section:
    """A part of a file. Two of them may be read in turns."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._at = start
        self._end = start + size

    def read(self, size: int) -> bytes:
        self._file.seek(self._at)
        content = self._file.read(min(size, self._end - self._at))
        self._at += len(content)
        return content

    def close(self) -> None:
        """Leave the file open for the other sections."""


class _Readable:
    """A file whose medium may fail while it is read."""

    def __init__(self, file: "BinaryIO | _Section") -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise ImageReadError(f"a file of the image cannot be read: {error.strerror}") from error

    def close(self) -> None:
        self._file.close()


def _stamp(found: os.stat_result) -> str:
    """Tell a state of a file from each other one.

    Nobody can set the time of its last change, as they can that of its content. Two changes within
    a tick of the clock have the same, so what is that new is not trusted.
    """
    if abs(time.time() - found.st_ctime) < _TICK_SECONDS:
        return ""
    return " ".join(
        str(part)
        for part in (
            found.st_dev,
            found.st_ino,
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
        )
    )


@contextmanager
def _translate_os_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImageReadError(f"{path}: {error.strerror}") from error


def _unpacked(file: BinaryIO, archive: Path, budget: Budget) -> BinaryIO:
    """Inflate into a file that has no name and is gone when it is closed."""
    copy = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115  (it is closed with the rest)
    try:
        with file:
            for piece in _at_most(
                _MAX_ARCHIVE_BYTES, gunzip(b"", lambda: file.read(PIECE_BYTES)), archive
            ):
                budget.look_at_clock()
                copy.write(piece)
        copy.seek(0)
    except OSError as error:
        copy.close()
        raise ImageReadError(
            f"{archive} cannot be unpacked into {tempfile.gettempdir()}: {error.strerror}",
            hint="name another folder with the environment variable TMPDIR",
        ) from error
    except BaseException:
        copy.close()
        raise
    return copy


def _at_most(most: int, pieces: Iterable[bytes], archive: Path) -> Iterator[bytes]:
    for piece in pieces:
        most -= len(piece)
        if most < 0:
            raise ImageReadError(f"{archive} has more bytes than this tool reads")
        yield piece


def _hint(start: bytes, archive: Path) -> str | None:
    for magic, name, command in _COMPRESSED:
        if start.startswith(magic):
            return f"it is compressed with {name}: run `{command} {archive}` first"
    return None
