"""Tar archives that nobody vouches for: the standard library's reader, with bounds to its trust."""

import tarfile
from collections.abc import Iterator
from typing import IO, Any, Final, Protocol, cast

from imagecheck.image.errors import DamagedImageError

MAX_HEADER_BYTES: Final = 1024**2
"""The most that the headers of one member may have: ``maxSpecialFileSize`` of Go's archive/tar."""


class Seekable(Protocol):
    """What an archive is read from. ``seek`` only ever goes forward."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102
    def seek(self, offset: int, /) -> int: ...  # noqa: D102
    def tell(self) -> int: ...  # noqa: D102


def members(file: Seekable) -> Iterator[tarfile.TarInfo]:
    """Go through the members of an archive.

    Raises DamagedImageError when it is no tar archive to its end.
    """
    headers = _Headers(file)
    try:
        with tarfile.TarFile(
            fileobj=cast("IO[bytes]", headers),
            encoding="utf-8",
            errors="backslashreplace",
            pax_headers=_Nothing(),
        ) as tar:
            while (member := tar.next()) is not None:
                # TarFile keeps every member that it has seen.
                tar.members.clear()  # type: ignore[attr-defined]  # not in typeshed
                yield member
                headers.left = MAX_HEADER_BYTES
    except RecursionError:
        raise DamagedImageError("a member of the tar archive has too many headers") from None
    except (tarfile.TarError, ValueError, OverflowError) as error:
        if file.tell() == 0:
            return  # No bytes at all are an archive of nothing, if not to TarFile.
        raise DamagedImageError(f"it is not a tar archive to its end: {error}") from None
    # TarFile takes what it cannot read for the end: that is two blocks of zeros, or nothing more.
    if headers.last.strip(b"\0") or file.read(tarfile.BLOCKSIZE).strip(b"\0"):
        raise DamagedImageError(
            f"it is not a tar archive to its end: no header before byte {file.tell():,}"
        )


class _Headers:
    """What TarFile reads of an archive."""

    def __init__(self, file: Seekable) -> None:
        self.left = MAX_HEADER_BYTES
        self.last = b""
        self._file = file
        self.seek = file.seek
        self.tell = file.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self.left:
            raise DamagedImageError("a member of the tar archive has headers without end")
        self.left -= size
        self.last = self._file.read(size)
        return self.last


class _Nothing(dict[str, str]):
    """What global PAX headers say. Docker and containerd leave it out, and it would pile up."""

    def __setitem__(self, *_: Any) -> None:
        pass
