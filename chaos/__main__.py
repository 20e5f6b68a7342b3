"""``python -m chaos``: tries the rooms under faults, and judges every answer."""

from __future__ import annotations

import secrets
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from chaos.faults import FAULTS
from chaos.known_histories import BAD, GOOD, wrong_verdicts
from chaos.report import REPORT, write_report
from chaos.trial import run_trial
from imagecheck.command_line import DEBUG, SETTINGS, run_command_line
from imagecheck.errors import CommandError, FailedError, UsageError
from imagecheck.terminal import say

if TYPE_CHECKING:
    from chaos.figures import Figures

_PROGRAM: Final = "python -m chaos"
WHOLE_TRIAL: Final = 50_000
_HISTORY: Final = Path(".local/chaos/history.jsonl")
_LINE_EVERY_S: Final = 20
_SHOWN: Final = 3
"""Violations of one kind whose history is printed: the shortest."""

app = typer.Typer(**SETTINGS)


class ViolationError(CommandError):
    """Something happened that the contract does not allow."""

    code = "VIOLATION"
    exit_status = 1


@app.command()
def chaos(
    seed: Annotated[
        int | None, typer.Option(help="The same number plans the same; without it, another.")
    ] = None,
    operations: Annotated[
        int, typer.Option(min=1, help="How many operations, about.")
    ] = WHOLE_TRIAL,
    only: Annotated[
        str | None, typer.Option(metavar="KIND", help="One kind of fault, of all there are.")
    ] = None,
    debug: Annotated[  # noqa: ARG001  (run_command_line reads it)
        bool, typer.Option(DEBUG, help="Print the traceback of an error.")
    ] = False,
) -> None:
    """Try the rooms under faults, and judge every answer.

    People create, look at, join and leave rooms, while requests to the table are lost, late,
    damaged or refused, processes are killed, and clocks are wrong. A whole trial, of at least
    50,000 operations with all kinds of fault, writes docs/reliability.md.

    Exit status 0: all answers are as the contract says; 1: some are not, and the shortest
    histories that show it are printed; 2: the trial could not be run.
    """
    faults = [fault for fault in FAULTS if only in {None, fault.name}]
    if not faults:
        names = ", ".join(fault.name for fault in FAULTS)
        raise UsageError(f"there is no kind of fault called {only}", hint=f"one of: {names}")
    if wrong := wrong_verdicts():
        raise FailedError(f"the checker is wrong about: {'; '.join(wrong)}")
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    print(f"The checker accepts {len(GOOD)} good histories and rejects {len(BAD)} bad ones.")
    print(f"{operations:,} operations, {len(faults)} kinds of fault, seed {seed}:", flush=True)
    _HISTORY.parent.mkdir(parents=True, exist_ok=True)
    progress = _Progress()
    with _HISTORY.open("wb") as history:
        figures = run_trial(
            seed=seed, operations=operations, faults=faults, history=history, progress=progress
        )
    progress.end(figures)
    print(f"Every operation is in {_HISTORY}.")
    if not figures.is_clean:
        _print_violations(figures)
        raise ViolationError(f"{len(figures.violations) + len(figures.leaks)} violations")
    if only is None and operations >= WHOLE_TRIAL:
        write_report(figures)
        print(f"{REPORT} is written.")


class _Progress:
    """Says how far the trial is: in one line on a terminal, else in a new one now and then."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, figures: Figures) -> None:
        if sys.stdout.isatty():
            print(f"\r{_summary(figures)} ", end="", flush=True)
        elif time.monotonic() - self._said > _LINE_EVERY_S:
            self._said = time.monotonic()
            print(_summary(figures), flush=True)

    def end(self, figures: Figures) -> None:
        """Say what it came to."""
        if sys.stdout.isatty():
            print("\r", end="")
        print(_summary(figures))


def _summary(figures: Figures) -> str:
    return (
        f"  {figures.operations:,} of {figures.planned:,} operations,"
        f" {figures.faults_met:,} faults, {len(figures.violations)} violations"
    )


def _print_violations(figures: Figures) -> None:
    shown: Counter[str] = Counter()
    for violation in sorted(figures.violations, key=lambda one: len(one.lines)):
        shown[violation.what] += 1
        if shown[violation.what] <= _SHOWN:
            say(f"\n{violation.what}, room {violation.room}:")
            for line in violation.lines:
                say(line)
    for leak in figures.leaks[:_SHOWN]:
        say(f"\nin the function's log: {leak}")
    say("\nviolations by kind:")
    for what, count in shown.most_common():
        say(f"{count:7,} {what}")


def main() -> int:
    """Run the command line. SIGTERM ends it as Ctrl-C does, with all that it has started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # Without an argument it would print the help.
    arguments = sys.argv[1:] or [f"--operations={WHOLE_TRIAL}"]
    return run_command_line(app, _PROGRAM, arguments, command="chaos")


if __name__ == "__main__":
    sys.exit(main())
