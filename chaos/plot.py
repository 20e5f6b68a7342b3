"""The picture of a trial: a row for each kind of fault, what it led to, and the longest operation.

SVG by hand: the shapes are few, and the colours follow the reader's light or dark page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chaos.faults import FAULTS, NO_FAULT
from chaos.figures import OUTCOMES, FaultFigures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.figures import Figures

_ROW: Final = 15
_TOP: Final = 46
_NAMES, _BARS, _DOTS, _RIGHT = 150, 380, 220, 30
_GAP: Final = 24
# Told apart by people who do not see red and green, on white and on black.
_COLOURS: Final = {
    "done": "#2f9e6e",
    "refused": "#4a8fd6",
    "503": "#e0a030",
    "500": "#d6455d",
    "no answer": "#8a8f98",
}
_STYLE: Final = """
  text { font: 11px ui-sans-serif, system-ui, sans-serif; fill: #24292f; }
  .faint { fill: #57606a; }
  .line { stroke: #d0d7de; }
  .dot { fill: #24292f; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .faint { fill: #9198a1; }
    .line { stroke: #3d444d; }
    .dot { fill: #e6edf3; }
  }
"""


def plot(figures: Figures, promised_s: float) -> str:
    """Return the SVG; ``promised_s`` is drawn as a line."""
    names = [fault.name for fault in (NO_FAULT, *FAULTS) if fault.name in figures.by_fault]
    height = _TOP + _ROW * len(names) + 26
    width = _NAMES + _BARS + _GAP + _DOTS + _RIGHT
    longest = max(promised_s, *(figures.by_fault[name].longest_s for name in names))
    body = [*_heads(), *_scale(height, longest, promised_s)]
    for row, name in enumerate(names):
        body += _row(name, figures.by_fault[name], _TOP + _ROW * row, longest)
    lines = "\n".join(f"  {line}" for line in body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        ' aria-label="What each kind of fault led to, and the longest operation">\n'
        f"  <style>{_STYLE}  </style>\n{lines}\n</svg>\n"
    )


def _heads() -> Iterator[str]:
    place = _NAMES
    for outcome in OUTCOMES:
        yield f'<rect x="{place}" y="8" width="10" height="10" fill="{_COLOURS[outcome]}"/>'
        yield f'<text x="{place + 14}" y="17">{outcome}</text>'
        place += 74
    yield f'<text x="{_NAMES + _BARS + _GAP}" y="17">longest operation, seconds</text>'


def _scale(height: int, longest: float, promised_s: float) -> Iterator[str]:
    step = 2 if longest < 14 else 5
    for seconds in range(0, int(longest) + 1, step):
        x = _second(seconds, longest)
        yield f'<line class="line" x1="{x}" x2="{x}" y1="{_TOP - 8}" y2="{height - 22}"/>'
        yield f'<text class="faint" x="{x}" y="{_TOP - 12}" text-anchor="middle">{seconds}</text>'
    x = _second(promised_s, longest)
    colour = _COLOURS["500"]
    yield f'<line x1="{x}" x2="{x}" y1="{_TOP - 8}" y2="{height - 22}" stroke="{colour}"/>'
    yield (
        f'<text class="faint" x="{x}" y="{height - 8}" text-anchor="end">promised:'
        f" {promised_s:g} s</text>"
    )


def _second(seconds: float, longest: float) -> float:
    return round(_NAMES + _BARS + _GAP + _DOTS * seconds / longest, 1)


def _row(name: str, found: FaultFigures, top: int, longest: float) -> Iterator[str]:
    yield f'<text x="{_NAMES - 8}" y="{top + 10}" text-anchor="end">{name}</text>'
    place = float(_NAMES)
    for outcome in OUTCOMES:
        width = _BARS * found.outcomes[outcome] / max(1, found.operations)
        if width:
            yield (
                f'<rect x="{place:.1f}" y="{top + 1}" width="{width:.1f}" height="{_ROW - 4}"'
                f' fill="{_COLOURS[outcome]}"/>'
            )
        place += width
    x = _second(found.longest_s, longest)
    yield f'<circle class="dot" cx="{x}" cy="{top + 6}" r="3"/>'
