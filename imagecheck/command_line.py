"""The last line between a command and a person: one message for whatever goes wrong."""

import io
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import typer
from typer.exceptions import TyperException

from imagecheck.ignore import UnknownRuleError
from imagecheck.image.errors import CannotLookError
from imagecheck.image.reference import InvalidReferenceError
from imagecheck.terminal import say

SETTINGS: Final[dict[str, Any]] = {"help_option_names": ["-h", "--help"]}
"""Of every command."""
EXPECTED: Final[Mapping[type[Exception], int]] = {
    CannotLookError: 2,
    InvalidReferenceError: 2,
    UnknownRuleError: 2,
}
"""Errors whose message is for a person, and the exit status that they end with."""


def run_command_line(
    app: typer.Typer,
    name: str,
    arguments: Sequence[str],
    *,
    help_of: str,
    expected: Mapping[type[Exception], int] = EXPECTED,
    interrupted: str = "interrupted",
    plainly: Callable[[Sequence[str]], bool] = lambda _: False,
) -> int:
    """Run a command and return its exit status: never a stack trace.

    ``help_of`` is the command whose ``--help`` is advised where it is asked wrongly, and
    ``interrupted`` what is said of an interruption. ``plainly`` runs what it takes without typer,
    and says whether it did.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    status = 2
    try:
        return _run(app, name, arguments, plainly)
    except tuple(expected) as error:
        status = next(number for kind, number in expected.items() if isinstance(error, kind))
        message = str(error)
    except TyperException as error:
        message = f"{error.format_message()}\nTry: {help_of} --help"
    except KeyboardInterrupt as interrupt:
        # A command that has begun to change something says how that stands.
        message = f"interrupted; {interrupt.args[0]}" if interrupt.args else interrupted
    except MemoryError:
        message = "there is not enough memory to read the image"
    except Exception as error:  # noqa: BLE001  (the last line before a person)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        message = f"a fault of this program, {type(error).__name__} in {place}: please report it"
    say("error: " + message)
    return status


def _run(
    app: typer.Typer,
    name: str,
    arguments: Sequence[str],
    plainly: Callable[[Sequence[str]], bool],
) -> int:
    if any(not _is_text(argument) for argument in arguments):
        raise typer.BadParameter("an argument is not text in UTF-8")
    try:
        if plainly(arguments):
            return 0
        # Not app(): that answers an interruption, and a pipe that was closed, in a way of its own.
        command = typer.main.get_command(app)
        with command.make_context(name, list(arguments) or ["--help"]) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return 0


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True
