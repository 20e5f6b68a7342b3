"""Measures ``release check``: a large image the first and the second time, and a bomb.

Run it with ``make benchmark``. It prints what it measured, on what, and keeps nothing.
"""

import gzip
import os
import platform
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from imagecheck.image.manifest import digest_of
from tests.imagecheck.images import File, Image, Layer, layer_from_tar, layer_of, write_image
from tests.imagecheck.programs import HOST, tiny_elf

LARGE_BYTES = 200 * 1000**2
BOMB_BYTES = 10 * 1000**3
RUNS = 3
FUNCTION_ARCHITECTURE = {"amd64": "x86_64", "arm64": "arm64"}[HOST]

_PIECE_BYTES = 100 * 1000**2
_PROGRAM = layer_of(File("run", tiny_elf(), 0o755), File("var/task/app.py"))


class Run(NamedTuple):
    """One run of the command as a process of its own."""

    seconds: float
    peak_mib: float
    status: int
    last_line: str


def main() -> None:
    """Print the figures."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("making the images ...", flush=True)
        # In a process of its own: one that a large one starts counts as large from the start.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as maker:
            large = maker.submit(_large, folder).result()
            bomb = maker.submit(_bomb, folder).result()
        _measure(large, "large image", folder)
        _measure(bomb, "bomb", folder)


def _measure(image: Image, what: str, folder: Path) -> None:
    size = sum(file.stat().st_size for file in (image.folder / "blobs" / "sha256").iterdir())
    print(f"\n{what}, {size / 1000**2:.1f} MB")
    pairs = []
    for number in range(RUNS):
        cache = folder / f"cache-{what}-{number}"
        pairs.append((_check(image, cache), _check(image, cache)))
    for name, runs in zip(("first check", "second check"), zip(*pairs, strict=True), strict=True):
        seconds = [run.seconds for run in runs]
        print(
            f"  {name:<13} {statistics.median(seconds):7.2f} s (from {min(seconds):.2f} to"
            f" {max(seconds):.2f}), peak {max(run.peak_mib for run in runs):.0f} MiB,"
            f" exit status {runs[0].status}: {runs[0].last_line}"
        )
    ratios = [second.seconds / first.seconds for first, second in pairs]
    print(f"  second / first, the median of {RUNS} pairs: {statistics.median(ratios):.3f}")


def _check(image: Image, cache: Path) -> Run:
    command = (
        *("-m", "release", "check", image.reference),
        *("--architecture", FUNCTION_ARCHITECTURE),
    )
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    last = output.strip().splitlines()[-1]
    return Run(seconds, usage.ru_maxrss / 1024, process.returncode, last)


def _large(folder: Path) -> Image:
    """Take files of this machine until there are enough of them, and a layer on top."""
    archive = folder / "large.tar.gz"
    with archive.open("wb") as file, tarfile.open(fileobj=file, mode="w|gz") as tar:
        for path in _files():
            tar.add(path, recursive=False)
            if file.tell() >= LARGE_BYTES:
                break
    base = layer_from_tar(gzip.decompress(archive.read_bytes()))
    return write_image(folder / "large", [base, _PROGRAM], architecture=HOST, cmd=["/run"])


def _files() -> Iterator[Path]:
    for root in ("/usr/lib", "/usr/bin", "/usr/share", "/opt"):
        for folder, folders, files in os.walk(root):
            folders.sort()
            for name in sorted(files):
                path = Path(folder, name)
                if path.is_symlink() or os.access(path, os.R_OK):
                    yield path


def _bomb(folder: Path) -> Image:
    """Make a layer of one file of zeros, whose gzip is a thousandth of it.

    A gzip file may be several, one after the other, so one piece is compressed once.
    """
    member = tarfile.TarInfo("zeros")
    member.size = BOMB_BYTES
    header = gzip.compress(member.tobuf(tarfile.GNU_FORMAT), mtime=0)
    piece = gzip.compress(bytes(_PIECE_BYTES), mtime=0)
    blob = header + piece * (BOMB_BYTES // _PIECE_BYTES) + gzip.compress(bytes(1024), mtime=0)
    small = layer_from_tar(b"")
    layer = Layer(blob, small.diff_id, small.media_type, digest_of(blob), len(blob))
    return write_image(folder / "bomb", [_PROGRAM, layer], architecture=HOST, cmd=["/run"])


if __name__ == "__main__":
    main()
