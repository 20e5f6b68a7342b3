"""The images that are read: a large one of real files, and a bomb."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imagecheck.image.manifest import digest_of
from tests.support.imagecheck.images import (
    File,
    Image,
    Layer,
    layer_from_tar,
    layer_of,
    write_image,
)
from tests.support.imagecheck.programs import HOST, tiny_elf

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEVEL: Final = 6  # as builders compress
_LARGEST_FILE_BYTES: Final = 20 * 1000**2
_PIECE_BYTES: Final = 100 * 1000**2
_PROGRAM: Final = layer_of(File("run", tiny_elf(), 0o755), File("var/task/app.py"))


def large_image(folder: Path, size: int) -> Image:
    """Build an image from files of this machine up to a compressed size, and a layer on top."""
    archive = folder / "large.tar.gz"
    with (
        archive.open("wb") as file,
        gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|") as tar,
    ):
        known: set[Path] = {Path("/")}
        for path in _files():
            for folder_of in (*reversed(path.parents), path):
                if folder_of not in known:
                    known.add(folder_of)
                    tar.add(folder_of, recursive=False, filter=_plain)
            if file.tell() >= size:
                break
    blob = archive.read_bytes()
    diff_id = digest_of(gzip.decompress(blob))
    base = Layer(blob, diff_id, _PROGRAM.media_type, digest_of(blob), len(blob))
    return write_image(folder / "large", [base, _PROGRAM], architecture=HOST, cmd=["/run"])


def bomb_image(folder: Path, size: int) -> Image:
    """Make a layer of one file of zeros, whose gzip is a thousandth of it.

    A gzip file may be several, one after the other, so one piece is compressed once.
    """
    piece_bytes = min(size, _PIECE_BYTES)
    member = tarfile.TarInfo("zeros")
    member.size = size
    header = gzip.compress(member.tobuf(tarfile.GNU_FORMAT), mtime=0)
    piece = gzip.compress(bytes(piece_bytes), mtime=0)
    blob = header + piece * (size // piece_bytes) + gzip.compress(bytes(1024), mtime=0)
    small = layer_from_tar(b"")
    layer = Layer(blob, small.diff_id, small.media_type, digest_of(blob), len(blob))
    return write_image(folder / "bomb", [_PROGRAM, layer], architecture=HOST, cmd=["/run"])


def largest_blob(image: Image) -> Path:
    """Return the file of the largest layer."""
    blobs = (image.folder / "blobs" / "sha256").iterdir()
    return max(blobs, key=lambda file: file.stat().st_size)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Remove owner and time, so that the same files give the same image."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def _files() -> Iterator[Path]:
    for root in ("/usr/bin", "/usr/lib", "/usr/share", "/opt"):
        for folder, folders, files in os.walk(root):
            folders.sort()
            for name in sorted(files):
                path = Path(folder, name)
                if path.is_symlink() or (_is_small(path) and os.access(path, os.R_OK)):
                    yield path


def _is_small(path: Path) -> bool:
    """Tell whether it is a file after which the image is not much larger than it shall be."""
    return path.is_file() and path.stat().st_size <= _LARGEST_FILE_BYTES
