"""Measures ``release check``: a large image the first and the second time, and a bomb."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.document import BENCHMARKS, machine, write_block
from benchmarks.image_reader.images import bomb_image, large_image, largest_blob
from benchmarks.image_reader.process import Run, run_program
from imagecheck.image.gunzip import FASTEST
from tests.support.imagecheck.programs import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.support.imagecheck.images import Image

LARGE_BYTES: Final = 150 * 1000**2
"""Compressed size of the large image: so large that reading it dominates the time."""
BOMB_BYTES: Final = 10 * 1000**3
ROUNDS: Final = 3
YARDSTICK: Final = "`skopeo copy`"

_FIRST, _SECOND = "`check`, the first time", "`check`, the second time"
_FUNCTION_ARCHITECTURE: Final = {"amd64": "x86_64", "arm64": "arm64"}[HOST]


def run() -> None:
    """Measure, and write the figures into docs/benchmarks.md."""
    about = machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large = large_image(folder, LARGE_BYTES)
        bomb = bomb_image(folder, BOMB_BYTES)
        size = largest_blob(large).stat().st_size
        measured = measure(large, folder, ROUNDS)
        ended = check(bomb, folder / "cache-bomb")
    lines = [
        f"An image of {size / 1000**2:.0f} MB in gzip; {ROUNDS} rounds; {about}.",
        "",
        *table(measured),
        "",
        f"A layer of {BOMB_BYTES / 1000**3:.0f} GB of zeros: {ended.wall:.1f} s,"
        f" {ended.peak_mib:.0f} MiB, exit status {ended.status}: {ended.last_line}",
    ]
    write_block(BENCHMARKS, "image-reader", lines)


def measure(image: Image, folder: Path, rounds: int) -> Mapping[str, Sequence[Run]]:
    """Run everything once per round, so that other load on the machine affects all equally."""
    blob = str(largest_blob(image))
    found: dict[str, list[Run]] = defaultdict(list)
    for number in range(rounds):
        cache = folder / f"cache-{number}"
        found[_FIRST].append(check(image, cache))
        found[_SECOND].append(check(image, cache))
        copy = folder / "copy"
        command = ["skopeo", "copy", "--quiet", image.reference, f"dir:{copy}"]
        found[YARDSTICK].append(run_program(command, {}))
        shutil.rmtree(copy)
        for library in dict.fromkeys(("zlib", FASTEST.__name__)):
            command = [sys.executable, "-m", "benchmarks.image_reader.floor", library, blob]
            found[f"inflate and hash, {library}"].append(run_program(command, {}))
    return found


def check(image: Image, cache: Path) -> Run:
    """Check an image, with a folder for what is kept of its layers."""
    command = [sys.executable, "-m", "release", "check", image.reference]
    command += ["--architecture", _FUNCTION_ARCHITECTURE]
    return run_program(command, {"XDG_CACHE_HOME": str(cache)})


def table(measured: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    """Yield medians, and ratios to the yardstick of the same round."""
    yield "| | wall, s | min to max | CPU, s | peak, MiB | wall, ratio | CPU, ratio | exit status |"
    yield "|---|---|---|---|---|---|---|---|"
    one = measured[YARDSTICK]
    for name, runs in measured.items():
        walls = [run.wall for run in runs]
        wall_ratio = median(run.wall / first.wall for run, first in zip(runs, one, strict=True))
        cpu_ratio = median(run.cpu / first.cpu for run, first in zip(runs, one, strict=True))
        yield (
            f"| {name} | {median(walls):.2f} | {min(walls):.2f} to {max(walls):.2f}"
            f" | {median(run.cpu for run in runs):.2f} | {max(run.peak_mib for run in runs):.0f}"
            f" | {wall_ratio:.2f} | {cpu_ratio:.2f} | {runs[0].status} |"
        )
