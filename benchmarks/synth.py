"""How long a synth takes: with CDK's validation and without it, and beside an empty app."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from benchmarks.document import BENCHMARKS, ROOT, machine, write_block
from benchmarks.figures import keep
from benchmarks.process_tree import Taken, time_of
from config.cdk_cli import synth_environment
from config.image_lock import ImagePin, write_image_lock
from config.json_file import read_json_file
from config.settings import read_settings
from imagecheck.terminal import step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_ROUNDS: Final = 5
_EMPTY_APP: Final = """\
from aws_cdk import App, Stack
from aws_cdk import aws_s3 as s3

app = App()
s3.Bucket(Stack(app, "empty"), "Bucket")
app.synth()
"""


class Variant(NamedTuple):
    """Something to synthesize. ``is_ours``: this project's stage prd; else the empty app."""

    name: str
    is_ours: bool
    is_gate: bool


GATE: Final = Variant("ours, prd: the gate", is_ours=True, is_gate=True)
OTHER: Final = Variant("ours, prd: every other synth", is_ours=True, is_gate=False)
EMPTY: Final = Variant("one bucket, as CDK does it", is_ours=False, is_gate=True)
BARE: Final = Variant("one bucket, not validated", is_ours=False, is_gate=False)
VARIANTS: Final = (GATE, OTHER, EMPTY, BARE)


class SynthFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of each variant, by its name, a pair of wall and CPU time for each round."""

    rounds: dict[str, list[Taken]]


def run() -> None:
    """Measure, keep the figures, and write the block ``synth``. It takes about two minutes."""
    said = machine()
    with tempfile.TemporaryDirectory(prefix="bench-synth-") as folder:
        figures = measure(synthesizing(Path(folder)), rounds=_ROUNDS)
    keep("synth", figures)
    write_block(BENCHMARKS, "synth", table(figures, said))


def measure(synthesize: Callable[[Variant], Taken], *, rounds: int) -> SynthFigures:
    """Take every variant once in each round, in another order each time.

    So all meet the same noise, and nobody always follows the same one.
    """
    taken: dict[str, list[Taken]] = {variant.name: [] for variant in VARIANTS}
    for number in range(rounds):
        with step(f"round {number + 1} of {rounds}"):
            for variant in random.Random(number).sample(VARIANTS, len(VARIANTS)):
                taken[variant.name].append(synthesize(variant))
    return SynthFigures(rounds=taken)


def synthesizing(folder: Path) -> Callable[[Variant], Taken]:
    """Return the function that synthesizes a variant with the CDK CLI, from nothing each time."""
    lock = folder / "image-lock.json"
    write_image_lock(lock, {"prd": _pin()})
    empty = folder / "empty"
    empty.mkdir()
    (empty / "app.py").write_text(_EMPTY_APP, encoding="utf-8")
    (empty / "cdk.json").write_text('{"app": "python3 app.py"}', encoding="utf-8")
    cdk = str(ROOT / "node_modules/.bin/cdk")
    command = [cdk, "synth", "--quiet", "--no-notices", "--no-version-reporting"]

    def synthesize(variant: Variant) -> Taken:
        with tempfile.TemporaryDirectory(dir=folder) as output:
            context = ["-c", "stage=prd", "-c", f"imageLock={lock}"] if variant.is_ours else []
            return time_of(
                [*command, "--output", output, *context],
                folder=ROOT if variant.is_ours else empty,
                environment=synth_environment(is_gate=variant.is_gate),
            )

    return synthesize


def table(figures: SynthFigures, measured_on: str) -> Iterator[str]:
    """Yield the lines of the block: medians, and the medians of the ratios of each round."""
    rounds = figures.rounds
    gate, empty = rounds[GATE.name], rounds[EMPTY.name]
    yield f"{len(gate)} rounds, each in another order; {measured_on}. Seconds: median (min-max)."
    yield ""
    yield "| synth | time | to the gate | to one bucket | CPU time | to the gate | to one bucket |"
    yield "|---|---|---|---|---|---|---|"
    for name, taken in rounds.items():
        cells = [name]
        for pick in (_wall, _cpu):
            cells += [
                _spread([pick(one) for one in taken]),
                _ratio(taken, gate, pick),
                _ratio(taken, empty, pick),
            ]
        yield f"| {' | '.join(cells)} |"


def _wall(taken: Taken) -> float:
    return taken.wall


def _cpu(taken: Taken) -> float:
    return taken.cpu


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f})"


def _ratio(
    taken: Sequence[Taken], yardstick: Sequence[Taken], pick: Callable[[Taken], float]
) -> str:
    pairs = zip(taken, yardstick, strict=True)
    return f"{median(pick(one) / pick(other) for one, other in pairs):.2f}"


class _Context(msgspec.Struct, frozen=True):
    stages: dict[str, object]


class _CdkJson(msgspec.Struct, frozen=True):
    context: _Context


def _pin() -> ImagePin:
    """Return a pin of an image that nobody has: a synth does not look for it."""
    stages = read_json_file(ROOT / "cdk.json", _CdkJson).context.stages
    return ImagePin(
        digest="sha256:" + "1" * 64,
        architecture=read_settings(stages, "prd").architecture,
        base_digest="sha256:" + "2" * 64,
        source_revision="3" * 40,
        pinned_at="2026-01-01T00:00:00Z",
    )
