"""The command line. Exit status 0: success; 1: a gate or a check says no; 2: could not be done."""

import inspect
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import wraps
from importlib import import_module
from itertools import chain
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup

from imagecheck import __version__
from imagecheck.command_line import DEBUG, SETTINGS, run_command_line
from imagecheck.errors import UsageError
from imagecheck.terminal import print_answer

PROGRAM: Final = "python -m release"
GROUPS: Final = {
    "Daily": (
        "ship",
        "build",
        "check",
        "boot",
        "push",
        "pin",
        "promote",
        "diff",
        "deploy",
        "page",
        "smoke",
    ),
    "Repair": ("diagnose", "rollback"),
    "Pipeline": ("synth", "changes", "comment", "propose", "base"),
}  # fmt: skip
"""Commands by what they are for, in the order of a release.

Each is imported when it is asked for: boto3 alone takes a second.
"""
COMMANDS: Final = tuple(chain.from_iterable(GROUPS.values()))
_HELP: Final = "Release an image from its source to a live stage, and repair what breaks."


class _Commands(TyperGroup):
    """Finds a command in the module of its name."""

    def list_commands(self, _context: Any) -> list[str]:
        """Return the commands in the order of ``GROUPS``."""
        return list(COMMANDS)

    def get_command(self, _context: Any, name: str) -> TyperCommand:
        """Return the command. Raises UsageError when there is none of that name."""
        if name not in COMMANDS:
            near = get_close_matches(name, COMMANDS, n=1)
            raise UsageError(
                f"there is no command {name!r}",
                hint=f"did you mean {near[0]!r}?" if near else f"{PROGRAM} --help",
            )
        return load_command(name)


def load_command(name: str) -> TyperCommand:
    """Import a command of ``COMMANDS``, and return it as typer runs it."""
    group = next(title for title, names in GROUPS.items() if name in names)
    app = typer.Typer(**SETTINGS)
    function = getattr(import_module(f"release.commands.{name}"), name)
    app.command(name, rich_help_panel=group)(_with_debug(function))
    command = typer.main.get_command(app)
    assert isinstance(command, TyperCommand)  # noqa: S101  (it has one command, so it is one)
    return command


def _with_debug(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option ``--debug``, which ``run_command_line`` reads."""
    signature = inspect.signature(function)
    if "debug" in signature.parameters:
        return function

    @wraps(function)
    def command(*, debug: bool = False, **options: Any) -> None:  # noqa: ARG001
        function(**options)

    option = typer.Option(DEBUG, help="Print the traceback of an error.")
    debug = inspect.Parameter(
        "debug",
        inspect.Parameter.KEYWORD_ONLY,
        default=False,
        annotation=Annotated[bool, option],
    )
    parameters = [*signature.parameters.values(), debug]
    command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {**function.__annotations__, "debug": debug.annotation}
    return command


app = typer.Typer(
    name=PROGRAM,
    cls=_Commands,
    help=_HELP,
    **SETTINGS,
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print_answer(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def _release(
    version: bool = typer.Option(
        False,
        "--version",
        is_eager=True,
        callback=_print_version,
        help="Print the version and exit.",
    ),
) -> None:
    pass


def main() -> int:
    """Run the command line, and return its exit status."""
    arguments = sys.argv[1:]
    command = arguments[0] if arguments[:1] and arguments[0] in COMMANDS else ""
    return run_command_line(
        app,
        PROGRAM,
        arguments,
        command=command,
        interrupted="interrupted; nothing was changed",
        plainly=_plainly,
    )


def _plainly(arguments: Sequence[str]) -> bool:
    if arguments[:1] != ["check"]:
        return False
    return bool(import_module("release.commands.check").run_plainly(arguments[1:]))
