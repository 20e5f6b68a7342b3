"""Measures ``release check``: a large image the first and the second time, and a bomb.

``make benchmark`` prints a Markdown table and keeps nothing. ``make benchmark BASELINE=FOLDER``
also measures another worktree of this repository, in turns with this one.
"""

import gzip
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from imagecheck.image.gunzip import FASTEST
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

LARGE_BYTES = 300 * 1000**2
"""Compressed size of the large image: so large that reading it dominates the time."""
BOMB_BYTES = 10 * 1000**3
ROUNDS = 3
FUNCTION_ARCHITECTURE = {"amd64": "x86_64", "arm64": "arm64"}[HOST]
ROOT = Path(__file__).parents[2]

_PIECE_BYTES = 100 * 1000**2
_PROGRAM = layer_of(File("run", tiny_elf(), 0o755), File("var/task/app.py"))


class Run(NamedTuple):
    """The measures of one process: seconds of wall clock and CPU, peak memory, status."""

    wall: float
    cpu: float
    peak_mib: float
    status: int
    last_line: str


def main() -> None:
    """Print the figures."""
    baseline = os.environ.get("BASELINE")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # In a process of its own: a child of a large process counts as large from the start.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as maker:
            large = maker.submit(large_image, folder, LARGE_BYTES).result()
            bomb = maker.submit(bomb_image, folder, BOMB_BYTES).result()
        load = os.getloadavg()[0]
        size = max(file.stat().st_size for file in _blobs(large)) / 1000**2
        print(f"{size:.0f} MB in gzip; others kept {load:.1f} cores busy\n")
        measured = measure(large, folder, Path(baseline).resolve() if baseline else None, ROUNDS)
        print(table(measured, "baseline, cold" if baseline else "this tree, cold"))
        ended = check(bomb, ROOT, folder / "cache-bomb")
        print(
            f"\nA layer of {BOMB_BYTES / 1000**3:.0f} GB of zeros: {ended.wall:.1f} s,"
            f" {ended.peak_mib:.0f} MiB, exit status {ended.status}: {ended.last_line}"
        )


def measure(
    image: Image, folder: Path, baseline: Path | None, rounds: int
) -> Mapping[str, Sequence[Run]]:
    """Run everything once per round, so that other load on the machine affects all equally."""
    trees = {"this tree": ROOT} | ({"baseline": baseline} if baseline else {})
    blob = max(_blobs(image), key=lambda file: file.stat().st_size)
    found: dict[str, list[Run]] = defaultdict(list)
    for number in range(rounds):
        for tree, path in trees.items():
            cache = folder / f"cache-{tree}-{number}"
            found[f"{tree}, cold"].append(check(image, path, cache))
            found[f"{tree}, cached"].append(check(image, path, cache))
        copy = folder / "copy"
        found["skopeo copy"].append(
            _run(["skopeo", "copy", "--quiet", image.reference, f"dir:{copy}"], ROOT, {})
        )
        shutil.rmtree(copy)
        for library in dict.fromkeys(("zlib", FASTEST.__name__)):
            command = [sys.executable, "-m", "tools.benchmarks.floor", library, str(blob)]
            found[f"inflate and hash, {library}"].append(_run(command, ROOT, {}))
    return found


def table(measured: Mapping[str, Sequence[Run]], one: str) -> str:
    """Return medians; ratios are to the run named ``one`` of the same round."""
    lines = [
        "| | wall, s | CPU, s | peak, MiB | wall, ratio | CPU, ratio | exit status |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, runs in measured.items():
        median = statistics.median
        walls, cpus = (
            [
                getattr(run, what) / getattr(first, what)
                for run, first in zip(runs, measured[one], strict=True)
            ]
            for what in ("wall", "cpu")
        )
        lines.append(
            f"| {name} | {median(run.wall for run in runs):.2f}"
            f" | {median(run.cpu for run in runs):.2f} | {max(run.peak_mib for run in runs):.0f}"
            f" | {median(walls):.2f} | {median(cpus):.2f} | {runs[0].status} |"
        )
    return "\n".join(lines)


def check(image: Image, tree: Path, cache: Path) -> Run:
    """Check an image with the code of a worktree."""
    command = [sys.executable, "-m", "release", "check", image.reference]
    command += ["--architecture", FUNCTION_ARCHITECTURE]
    return _run(command, tree, {"XDG_CACHE_HOME": str(cache)})


def _run(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> Run:
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        # As an installed package, it finds its bytecode.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    last = (output.strip().splitlines() or [""])[-1]
    cpu = usage.ru_utime + usage.ru_stime
    return Run(wall, cpu, usage.ru_maxrss / 1024, process.returncode, last)


def _blobs(image: Image) -> list[Path]:
    return list((image.folder / "blobs" / "sha256").iterdir())


def large_image(folder: Path, size: int) -> Image:
    """Build an image from files of this machine up to a size, and a layer on top."""
    archive = folder / "large.tar.gz"
    with archive.open("wb") as file, tarfile.open(fileobj=file, mode="w|gz") as tar:
        known: set[Path] = {Path("/")}
        for path in _files():
            for folder_of in (*reversed(path.parents), path):
                if folder_of not in known:
                    known.add(folder_of)
                    tar.add(folder_of, recursive=False, filter=_plain)
            if file.tell() >= size:
                break
    packed = archive.read_bytes()
    blob = packed[:4] + bytes(4) + packed[8:]  # the time of day: tarfile writes it there
    diff_id = digest_of(gzip.decompress(blob))
    base = Layer(blob, diff_id, _PROGRAM.media_type, digest_of(blob), len(blob))
    return write_image(folder / "large", [base, _PROGRAM], architecture=HOST, cmd=["/run"])


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
                if path.is_symlink() or (path.is_file() and os.access(path, os.R_OK)):
                    yield path


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


if __name__ == "__main__":
    main()
