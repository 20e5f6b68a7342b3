"""The command line. Exit status 0: the answer is yes; 1: it is no; 2: it could not be found out."""

import io
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from imagecheck.image.errors import CannotLookError
from imagecheck.image.reference import InvalidReferenceError
from imagecheck.terminal import say
from release.errors import CannotDoError, RefusedError

COMMANDS = (
    "build",
    "check",
    "boot",
    "push",
    "pin",
    "promote",
    "synth",
    "diff",
    "deploy",
    "page",
    "smoke",
    "rollback",
    "diagnose",
    "changes",
    "comment",
    "propose",
    "base",
)
"""In the order of a release, and then what a pipeline needs beside it.

Each is imported when it is asked for: boto3 alone takes a second.
"""

_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


class _Commands(TyperGroup):
    """Finds a command in the module of its name."""

    def list_commands(self, _context: Any) -> list[str]:
        """In the order of a release, which is not that of the alphabet."""
        return list(COMMANDS)

    def get_command(self, _context: Any, name: str) -> Any:
        """Return the command, or None when there is none of that name."""
        if name not in COMMANDS:
            return None
        one = typer.Typer(
            add_completion=False, rich_markup_mode="markdown", context_settings=_SETTINGS
        )
        one.command(name)(getattr(import_module(f"release.commands.{name}"), name))
        command = typer.main.get_command(one)
        assert isinstance(command, TyperCommand)  # noqa: S101  (it has one command, so it is one)
        return command


app = typer.Typer(
    name="python -m release",
    cls=_Commands,
    help="From source to live digest, and what to do when something breaks.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings=_SETTINGS,
)


@app.callback()
def _release() -> None:
    """From source to live digest, and what to do when something breaks."""


def main() -> int:
    """Run the command line: one message for whatever goes wrong, and never a stack trace."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    status = 2
    try:
        return _run()
    except RefusedError as error:
        status, message = 1, str(error)
    except (CannotDoError, CannotLookError, InvalidReferenceError) as error:
        message = str(error)
    except TyperException as error:
        message = f"{error.format_message()}\nTry: python -m release {_command()}--help"
    except KeyboardInterrupt as interrupt:
        # A command that has begun to change something says how that stands.
        message = f"interrupted; {interrupt.args[0] if interrupt.args else 'nothing was changed'}"
    except MemoryError:
        message = "there is not enough memory to read the image"
    except Exception as error:  # noqa: BLE001  (the last line before a person)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        message = f"a fault of this program, {type(error).__name__} in {place}: please report it"
    say("error: " + message)
    return status


def _run() -> int:
    if any(not _is_text(argument) for argument in sys.argv):
        raise typer.BadParameter("an argument is not text in UTF-8")
    # Not app(): that answers an interruption, and a pipe that was closed, in a way of its own.
    command = typer.main.get_command(app)
    try:
        with command.make_context("python -m release", sys.argv[1:] or ["--help"]) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return 0


def _command() -> str:
    return f"{sys.argv[1]} " if sys.argv[1:2] and sys.argv[1] in COMMANDS else ""


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True
