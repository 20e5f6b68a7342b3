"""Files by name, in a folder or in a tar archive that is not unpacked."""

import io
import posixpath
import tarfile
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from release.image.errors import CannotLookError

_MAX_MEMBERS = 100_000
_MAX_LINKS = 8


class Files(Protocol):
    """Opens files by their names, which have slashes in them and never lead outside.

    ``open`` and ``size`` raise FileNotFoundError for a name that is not there, and CannotLookError
    when what is there cannot be read.
    """

    def open(self, name: str) -> BinaryIO:
        """Open a file, to be closed by who asked."""
        ...

    def size(self, name: str) -> int:
        """Return the length of a file in bytes."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


class FolderFiles:
    """The files of a folder."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise CannotLookError(f"{folder} is not a folder")
        self._folder = folder

    def open(self, name: str) -> BinaryIO:
        """See Files."""
        try:
            return (self._folder / name).open("rb")
        except FileNotFoundError:
            raise
        except OSError as error:
            raise CannotLookError(f"{self._folder / name}: {error.strerror}") from None

    def size(self, name: str) -> int:
        """See Files."""
        return (self._folder / name).stat().st_size

    def close(self) -> None:
        """See Files."""


class TarFiles:
    """The files of an uncompressed tar archive, read where they lie."""

    def __init__(self, archive: Path) -> None:
        try:
            self._file = archive.open("rb")
        except OSError as error:
            raise CannotLookError(f"{archive}: {error.strerror}") from None
        try:
            self._members = _members(self._file)
        except (tarfile.TarError, ValueError, OSError) as error:
            self._file.close()
            raise CannotLookError(
                f"{archive} is not a tar archive{_hint(archive)} ({error})"
            ) from None

    def open(self, name: str) -> BinaryIO:
        """See Files."""
        member = self._find(name)
        return cast("BinaryIO", _Section(self._file, member.offset_data, member.size))

    def size(self, name: str) -> int:
        """See Files."""
        return self._find(name).size

    def close(self) -> None:
        """See Files."""
        self._file.close()

    def _find(self, name: str) -> tarfile.TarInfo:
        """Follow the links with which ``docker save`` of old stores a layer once."""
        for _ in range(_MAX_LINKS):
            member = self._members.get(posixpath.normpath(name))
            if member is None:
                break
            if member.isreg():
                return member
            folder = posixpath.dirname(name) if member.issym() else ""
            name = posixpath.normpath(posixpath.join(folder, member.linkname))
        raise FileNotFoundError(name)


class _Section(io.RawIOBase):
    """A part of a file. Two of them may be read in turns."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file = file
        self._at = start
        self._end = start + size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        left = self._end - self._at
        self._file.seek(self._at)
        content = self._file.read(left if size < 0 else min(size, left))
        self._at += len(content)
        return content


def _members(file: BinaryIO) -> dict[str, tarfile.TarInfo]:
    members = {}
    with tarfile.open(fileobj=file, mode="r:") as tar:
        while (member := tar.next()) is not None:
            members[posixpath.normpath(member.name)] = member
            # TarFile keeps every member that it has seen.
            tar.members.clear()  # type: ignore[attr-defined]  # not in typeshed
            if len(members) > _MAX_MEMBERS:
                raise tarfile.ReadError("it has too many files for an image")
    return members


def _hint(archive: Path) -> str:
    with archive.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    return f"; it is compressed, so run gunzip first: gunzip --keep {archive}" if is_gzip else ""
