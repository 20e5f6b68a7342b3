"""The progress of a release: one line a step, and on a terminal the step that runs now."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import typer

from imagecheck.terminal import printable

_WIDTH: Final = 10
_SHORTEST_ESTIMATE: Final = 2


@contextmanager
def running(name: str, estimate: float | None) -> Iterator[None]:
    """Show on a terminal that a step runs, since when, and how long it took the last time."""
    if not sys.stderr.isatty():
        yield
        return
    # Rich is slow to import, and a pipe does not need it.
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    about = f"of about {estimate:.0f} s" if estimate and estimate > _SHORTEST_ESTIMATE else ""
    columns = (SpinnerColumn(), TextColumn(f"{name:{_WIDTH}}"), TimeElapsedColumn())
    with Progress(
        *columns, TextColumn(about), console=Console(stderr=True), transient=True
    ) as progress:
        progress.add_task(name, total=None)
        yield


def show_done(name: str, seconds: float, detail: str) -> None:
    """Print the line of a step that was run."""
    _show("✓", name, f"{seconds:6.1f} s", detail)


def show_skipped(name: str, reason: str) -> None:
    """Print the line of a step that had nothing to do."""
    _show("·", name, "", reason)


def show_planned(name: str, estimate: float | None) -> None:
    """Print the line of a step that would be run."""
    about = f", about {estimate:.0f} s" if estimate and estimate >= 1 else ""
    _show("→", name, "", f"would run{about}")


def show_failed(name: str, seconds: float, how: str) -> None:
    """Print the line of a step that did not succeed."""
    _show("✗", name, f"{seconds:6.1f} s", how)


def _show(mark: str, name: str, time: str, detail: str) -> None:
    line = f"  {mark} {name:{_WIDTH}}{time:>9}  {detail}".rstrip()
    typer.echo(printable(line), err=True)
