"""Writes a file whole, or not at all."""

import contextlib
import os
import secrets
import shutil
from pathlib import Path


def write_whole(path: Path, content: bytes, *, scratch: Path) -> None:
    """Replace a file, so that whoever reads sees the old one or the new one, never half of one.

    That is also so after a kill or a power cut. A symlink stays: what it names is replaced. What a
    killed command has left in ``scratch`` is removed, so one process may write at a time: see
    ``file_lock``.

    Args:
        path: the file; it keeps its mode.
        content: what it is to hold.
        scratch: a folder that git ignores, for the file while it is written.

    Raises:
        OSError: the file is unchanged.

    """
    path = Path(os.path.realpath(path))
    scratch.mkdir(parents=True, exist_ok=True)
    if scratch.stat().st_dev != path.parent.stat().st_dev:
        scratch = path.parent  # nothing is renamed from one file system to another
    for left in scratch.glob(f".{path.name}.*.tmp"):
        left.unlink(missing_ok=True)
    temporary = scratch / f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        temporary.write_bytes(content)
        with contextlib.suppress(FileNotFoundError):
            shutil.copymode(path, temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _keep_name(path.parent)


def _keep_name(folder: Path) -> None:
    """Write a folder's names to the disk, where the system and the file system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
