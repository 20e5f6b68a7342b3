"""``python -m benchmarks``: measures the project beside its peers, and writes the figures."""

from __future__ import annotations

import signal
import sys
import time
from typing import TYPE_CHECKING, Annotated, Final

import typer

from benchmarks import synth
from benchmarks.cold_start import run as cold_start
from benchmarks.image_reader import run as image_reader
from benchmarks.load import run as load
from benchmarks.scale import run as scale
from imagecheck.command_line import DEBUG, SETTINGS, run_command_line
from imagecheck.errors import UsageError
from imagecheck.terminal import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PROGRAM: Final = "python -m benchmarks"
# In this order: a later part may calculate with the figures of an earlier one.
_PARTS: Final[Mapping[str, Callable[[], None]]] = {
    "cold-start": cold_start.run,
    "synth": synth.run,
    "load": load.run,
    "image-reader": image_reader.run,
    "scale": scale.run,
}

app = typer.Typer(**SETTINGS)


@app.command()
def bench(
    parts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PART", help=f"What to measure: {', '.join(_PARTS)}; without it, all."
        ),
    ] = None,
    debug: Annotated[  # noqa: ARG001  (run_command_line reads it)
        bool, typer.Option(DEBUG, help="Print the traceback of an error.")
    ] = False,
) -> None:
    """Measure the project beside its peers, and write docs/benchmarks.md and docs/scale.md.

    The whole takes about a quarter of an hour on two cores. Figures are medians, and ratios within
    one run; no figure makes it fail.
    """
    if unknown := set(parts or ()) - _PARTS.keys():
        hint = f"there are: {', '.join(_PARTS)}"
        raise UsageError(f"there is no part called {min(unknown)}", hint=hint)
    for name, run in _PARTS.items():
        if not parts or name in parts:
            begun = time.monotonic()
            say(f"{name} ...")
            run()
            say(f"{name}: {time.monotonic() - begun:.0f} s")


def main() -> int:
    """Run the command line. SIGTERM ends it as Ctrl-C does, with all that it has started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Without an argument it would print the help.
    return run_command_line(app, _PROGRAM, sys.argv[1:] or list(_PARTS), command="bench")


if __name__ == "__main__":
    sys.exit(main())
