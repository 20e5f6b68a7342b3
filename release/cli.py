"""The command line. Exit status 0: the answer is yes; 1: it is no; 2: it could not be found out."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from imagecheck.command_line import EXPECTED, SETTINGS, run_command_line
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
            add_completion=False, rich_markup_mode="markdown", context_settings=SETTINGS
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
    context_settings=SETTINGS,
)


@app.callback()
def _release() -> None:
    """From source to live digest, and what to do when something breaks."""


def main() -> int:
    """Run the command line: one message for whatever goes wrong, and never a stack trace."""
    arguments = sys.argv[1:]
    command = f" {arguments[0]}" if arguments[:1] and arguments[0] in COMMANDS else ""
    return run_command_line(
        app,
        "python -m release",
        arguments,
        help_of=f"python -m release{command}",
        expected={**EXPECTED, RefusedError: 1, CannotDoError: 2},
        interrupted="interrupted; nothing was changed",
        plainly=_plainly,
    )


def _plainly(arguments: Sequence[str]) -> bool:
    if arguments[:1] != ["check"]:
        return False
    return bool(import_module("release.commands.check").run_plainly(arguments[1:]))
