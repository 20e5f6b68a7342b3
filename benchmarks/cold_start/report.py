"""Writes the figures of the cold start into docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.cold_start.catalogue import EARLY, FLOOR, OURS, PEERS, UNCOUNTED, YARDSTICK, Kind
from benchmarks.cold_start.loaded import Loaded, Size
from benchmarks.cold_start.process import Sample
from benchmarks.document import BENCHMARKS, ROOT, write_block, write_picture
from benchmarks.plots import bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

VCPU_MB: Final = 1769
"""The memory with which a function has one vCPU:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
_SIZES_MB: Final = (128, 256, 512)
_MB: Final = 1_000_000


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; samples are in the order of the rounds."""

    python: str
    node: str
    machine: str
    warm_calls: int
    authorities: int
    samples: Mapping[str, list[Sample]]
    own_lines: Mapping[str, int]
    loaded: Mapping[str, Loaded]
    image: Size


def write_report(figures: Figures, root: Path = ROOT) -> None:
    """Replace the blocks of the page."""
    titles = {peer.name: peer.title for peer in PEERS if peer.name in figures.samples}
    candidates = [
        peer.name
        for peer in PEERS
        if peer.name in titles and (peer.kind is Kind.CANDIDATE or peer.name in _COMPARED)
    ]
    peers = [name for name in titles if name not in candidates or name in _COMPARED]
    picture = write_picture("cold-start", plot(figures, _only(titles, peers)), root=root)
    for block, lines in {
        "cold-start": [
            *cold_table(figures, _only(titles, peers)),
            "",
            *warm_table(figures, _only(titles, peers)),
            "",
            f"![Ratios to bare boto3]({picture})",
            "",
            conditions(figures),
        ],
        "cold-start-candidates": candidates_table(figures, _only(titles, candidates)),
        "cold-start-files": files_table(figures, titles),
        "cold-start-memory": memory_table(figures, titles),
    }.items():
        write_block(BENCHMARKS, block, lines, root=root)


_COMPARED: Final = (YARDSTICK, OURS, UNCOUNTED, FLOOR)
"""They stand in each table."""


def ratio(figures: Figures, name: str, value: Callable[[Sample], float]) -> float:
    """Return the median, over the rounds, of a value in proportion to the yardstick's."""
    pairs = zip(figures.samples[name], figures.samples[YARDSTICK], strict=True)
    return median(value(sample) / value(yardstick) for sample, yardstick in pairs)


def cold_table(figures: Figures, titles: Mapping[str, str]) -> Iterator[str]:
    """Return what a start takes, up to the first answer."""
    yield (
        "| | cold, ms | ratio | CPU, ms | ratio"
        " | its first answer, ms | CPU, ms | memory, MiB | ratio |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for name, title in titles.items():
        samples = figures.samples[name]
        yield _row(
            title,
            _span(sample.cold_ms for sample in samples),
            f"{ratio(figures, name, lambda sample: sample.cold_ms):.2f}",
            _span(sample.cold_cpu_ms for sample in samples),
            f"{ratio(figures, name, lambda sample: sample.cold_cpu_ms):.2f}",
            f"{median(sample.first_ms for sample in samples):.1f}",
            f"{median(sample.first_cpu_ms for sample in samples):.1f}",
            f"{median(sample.first_mib for sample in samples):.1f}",
            f"{ratio(figures, name, lambda sample: sample.first_mib):.2f}",
        )


def warm_table(figures: Figures, titles: Mapping[str, str]) -> Iterator[str]:
    """Return what an answer takes when the environment is there."""
    yield "| | warm p50, ms | ratio | p99, ms | CPU, ms | ratio | requests |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for name, title in titles.items():
        samples = figures.samples[name]
        yield _row(
            title,
            f"{median(median(sample.warm_ms) for sample in samples):.2f}",
            f"{ratio(figures, name, lambda sample: median(sample.warm_ms)):.2f}",
            f"{p99(samples):.1f}",
            f"{median(sample.warm_cpu_ms for sample in samples):.2f}",
            f"{ratio(figures, name, lambda sample: sample.warm_cpu_ms):.2f}",
            f"{median(sample.warm_requests for sample in samples):.0f}",
        )


def candidates_table(figures: Figures, titles: Mapping[str, str]) -> Iterator[str]:
    """Return what was tried, with what it costs to keep."""
    yield "| | cold | CPU | warm p50 | CPU | memory | lines of own code |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    values: tuple[Callable[[Sample], float], ...] = (
        lambda sample: sample.cold_ms,
        lambda sample: sample.cold_cpu_ms,
        lambda sample: median(sample.warm_ms),
        lambda sample: sample.warm_cpu_ms,
        lambda sample: sample.first_mib,
    )
    for name, title in titles.items():
        ratios = (f"{ratio(figures, name, value):.2f}" for value in values)
        yield _row(title, *ratios, str(figures.own_lines[name]) if name != FLOOR else "")


def plot(figures: Figures, titles: Mapping[str, str]) -> str:
    """Return the picture (SVG) of the ratios."""
    values: dict[str, Callable[[Sample], float]] = {
        "cold": lambda sample: sample.cold_ms,
        "cold, CPU": lambda sample: sample.cold_cpu_ms,
        "warm p50": lambda sample: median(sample.warm_ms),
        "memory": lambda sample: sample.first_mib,
    }
    return bars(
        [title.strip("*") for title in titles.values()],
        {
            label: [ratio(figures, name, value) for name in titles]
            for label, value in values.items()
        },
        axis="times as much as bare boto3, in the same round",
        yardstick=1,
    )


def files_table(figures: Figures, titles: Mapping[str, str]) -> Iterator[str]:
    """Return how much is read up to the first answer, and how much the image adds to its base."""
    yield "| read up to the first answer | modules | files | MB |"
    yield "|---|--:|--:|--:|"
    for name, found in figures.loaded.items():
        megabytes = f"{found.bytes / _MB:.1f}"
        yield _row(titles[name], str(found.modules), str(found.files), megabytes)
    yield ""
    image = figures.image
    yield f"The image adds {image.files} files to its base, {image.bytes / _MB:.2f} MB."


def memory_table(figures: Figures, titles: Mapping[str, str]) -> Iterator[str]:
    """Return what the first and a warm answer would take of a part of a vCPU."""
    yield (
        "| calculated, ms | "
        + " | ".join(f"first answer, {size} MB | warm" for size in _SIZES_MB)
        + " |"
    )
    yield "|---" + "|--:" * (2 * len(_SIZES_MB)) + "|"
    for name in (YARDSTICK, EARLY, OURS, UNCOUNTED):
        samples = figures.samples[name]
        first = median(sample.first_cpu_ms for sample in samples)
        warm = median(sample.warm_cpu_ms for sample in samples)
        calculated = (
            f"{calculated_ms(cpu_ms, size):.0f}" for size in _SIZES_MB for cpu_ms in (first, warm)
        )
        yield _row(titles[name], *calculated)


def calculated_ms(cpu_ms: float, memory_mb: int) -> float:
    """Return what CPU time takes by the clock of a function with so much memory."""
    return cpu_ms * VCPU_MB / min(memory_mb, VCPU_MB)


def p99(samples: Iterable[Sample]) -> float:
    """Return what 99 of 100 warm calls of all rounds do not take longer than, in milliseconds."""
    calls = [call for sample in samples for call in sample.warm_ms]
    return quantiles(calls, n=100, method="inclusive")[98]


def conditions(figures: Figures) -> str:
    """Return what the figures depend on."""
    rounds = len(figures.samples[YARDSTICK])
    return (
        f"{rounds} rounds, {figures.warm_calls} warm calls in each; functions in Python"
        f" {figures.python} and Node {figures.node};"
        f" {figures.authorities} certificate authorities in botocore's file. {figures.machine}."
    )


def _only(titles: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: titles[name] for name in names}


def _span(values: Iterable[float]) -> str:
    found = sorted(values)
    return f"{median(found):.0f} ({found[0]:.0f} to {found[-1]:.0f})"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
