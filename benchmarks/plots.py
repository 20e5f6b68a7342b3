"""Pictures of figures, as SVG that is the same for the same figures.

They have no background, and a grey that is read on white and on black: a page shows them as it is.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from cycler import cycler
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.typing import RcKeyType

GREY: Final = "#767b82"
# Told apart by people who do not see red and green, on white and on black; chaos/plot.py has them.
COLOURS: Final = ("#4a8fd6", "#e0a030", "#2f9e6e", "#d6455d", "#8a8f98")

_WIDTH: Final = 7.2
# What the width has room for, in a legend.
_CHARACTERS: Final = 90
_HANDLE_CHARACTERS: Final = 8
_STYLE: Final[dict[RcKeyType, Any]] = {
    "axes.edgecolor": GREY,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": GREY,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "figure.facecolor": "none",
    # It comes with matplotlib, so lengths of text are measured alike everywhere.
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "grid.alpha": 0.3,
    "grid.color": GREY,
    "legend.frameon": False,
    "legend.labelcolor": GREY,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "benchmarks",
    "text.color": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
}
_NO_METADATA: Final = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def bars(
    names: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    *,
    axis: str,
    yardstick: float | None = None,
) -> str:
    """Return horizontal bars, a group for each name from the top, and in it one of each series.

    Args:
        names: what is compared.
        series: a value for each name; None has no bar.
        axis: what the values are, with the unit.
        yardstick: where a line stands, as 1 for ratios.

    """
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(0.9 + len(names) * (0.12 + 0.2 * len(series)))
        thickness = 0.8 / len(series)
        for place, (name, values) in enumerate(series.items()):
            rows = [row - 0.4 + thickness * (place + 0.5) for row in range(len(names))]
            drawn = axes.barh(rows, [value or 0 for value in values], thickness * 0.9, label=name)
            labels = ["" if value is None else _short(value) for value in values]
            axes.bar_label(drawn, labels=labels, padding=3, fontsize=8)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        axes.margins(x=0.1, y=0.02)
        axes.set_xlabel(axis)
        if yardstick is not None:
            axes.axvline(yardstick, color=GREY, linewidth=1)
        if len(series) > 1:
            _legend(axes, len(series))
        return _svg(figure)


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    x_axis: str,
    y_axis: str,
    logarithmic: bool = False,
) -> str:
    """Return a line of (x, y) for each series, such as something over time.

    ``logarithmic`` is the y axis; points at zero or below are left out there.
    """
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(3)
        for name, points in series.items():
            shown = [(x, y) for x, y in points if y > 0 or not logarithmic]
            axes.plot([x for x, _ in shown], [y for _, y in shown], label=name, linewidth=1.6)
        if logarithmic:
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        axes.margins(x=0.01)
        axes.set_xlabel(x_axis)
        axes.set_ylabel(y_axis)
        if len(series) > 1:
            _legend(axes, len(series))
        return _svg(figure)


def _figure(height: float) -> tuple[Figure, Axes]:
    """Return a picture of a height in inches, without a window or a state that is global."""
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def _legend(axes: Axes, count: int) -> None:
    longest = max(len(label) for label in axes.get_legend_handles_labels()[1])
    columns = max(1, min(count, _CHARACTERS // (longest + _HANDLE_CHARACTERS)))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"
