"""Writes the figures of a trial into docs/reliability.md, and its picture."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chaos.checker import STEPS
from chaos.earlier_version import revision
from chaos.faults import FAULTS, NO_FAULT
from chaos.figures import OUTCOMES, FaultFigures
from chaos.function_code import longest_operation_s
from chaos.known_histories import BAD, GOOD
from chaos.plot import plot
from chaos.trial import ENVIRONMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.figures import Figures

_ROOT: Final = Path(__file__).parents[1]
REPORT: Final = Path("docs/reliability.md")
PICTURE: Final = Path("docs/pictures/reliability.svg")
BEGIN: Final = "<!-- The figures: written by `make chaos`; do not edit them here. -->\n"
END: Final = "<!-- The end of the figures. -->\n"


def write_report(figures: Figures, root: Path = _ROOT) -> None:
    """Replace the figures between the marks of the page, and the picture."""
    path = root / REPORT
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    promised_s = longest_operation_s()
    text = "\n".join(_lines(figures, promised_s))
    path.write_text(f"{before}{BEGIN}\n{text}\n\n{END}{after}", encoding="utf-8")
    (root / PICTURE).write_text(plot(figures, promised_s), encoding="utf-8")


def _lines(figures: Figures, promised_s: float) -> Iterator[str]:
    running = [
        found
        for name, found in figures.by_fault.items()
        if not name.startswith(("frozen", "killed"))
    ]
    minutes = figures.seconds / 60
    yield "| | |"
    yield "|---|--:|"
    yield f"| operations, each judged | {figures.operations:,} |"
    yield f"| requests to the table | {figures.requests:,} |"
    yield f"| operations that met a fault | {figures.faults_met:,} |"
    yield f"| kinds of fault | {len(figures.faults)} |"
    yield f"| rooms | {figures.rooms:,} |"
    yield (
        f"| operations with two versions at once (this one, and `{revision()[:7]}`) |"
        f" {figures.of_two_versions:,} |"
    )
    yield f"| lines of the function's log with a token or a name | {len(figures.leaks)} |"
    yield f"| known histories that the checker tells first | {len(GOOD)} good, {len(BAD)} bad |"
    yield f"| **violations of the contract** | **{len(figures.violations)}** |"
    yield (
        f"| longest operation of a process that runs; promised |"
        f" {max(found.longest_s for found in running):.1f} s; {promised_s:.1f} s |"
    )
    yield ""
    yield (
        f"Seed {figures.seed}, {minutes:.0f} minutes, {ENVIRONMENTS} environments, {os.cpu_count()}"
        f" cores ({platform.machine()}), Python {platform.python_version()}, DynamoDB Local."
    )
    yield ""
    picture = PICTURE.relative_to(REPORT.parent)
    yield f"![What each kind of fault led to, and the longest operation]({picture})"
    yield ""
    yield "### What the contract allows"
    yield ""
    yield "These are counted apart, and are no violations:"
    yield ""
    yield "| how often | what, and why |"
    yield "|--:|---|"
    reasons = [allowance.value for allowance in STEPS[-1]]
    for reason in [*reasons, *sorted(figures.allowed.keys() - set(reasons))]:
        unit = "rooms" if reason in reasons else "operations"
        yield f"| {figures.allowed[reason]:,} {unit} | {reason} |"
    yield ""
    yield "### What each kind of fault led to"
    yield ""
    yield (
        "Operations that met it, by their answer: done (2xx, 304), refused (4xx: no seat free, no"
        " such room, no seat of one's own), 503, 500, or none, since the process was ended."
    )
    yield ""
    yield f"| kind | what happens | operations | {' | '.join(OUTCOMES)} | longest |"
    yield f"|---|---|--:|{'--:|' * len(OUTCOMES)}--:|"
    for fault in (NO_FAULT, *FAULTS):
        found = figures.by_fault.get(fault.name, FaultFigures())
        counts = " | ".join(f"{found.outcomes[outcome]:,}" for outcome in OUTCOMES)
        yield (
            f"| {fault.name} | {fault.what} | {found.operations:,} | {counts} |"
            f" {found.longest_s:.1f} s |"
        )
