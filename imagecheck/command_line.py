"""Runs a command, and reports whatever goes wrong as one message."""

import contextlib
import io
import itertools
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import typer
from typer.exceptions import TyperException

from imagecheck import HOME_URL
from imagecheck.envelope import envelope
from imagecheck.errors import CommandError, UsageError
from imagecheck.terminal import is_output_unread, print_answer, say

SETTINGS: Final[dict[str, Any]] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": "markdown",
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
"""Arguments of ``typer.Typer`` for every command line."""
DEBUG: Final = "--debug"
JSON: Final = "--json"
_OWN: Final = ("imagecheck", "release", "local", "config", "contract", "lambda_runtime")


@dataclass(frozen=True)
class _Failure:
    """How a command ended that did not come to an answer."""

    code: str
    message: str
    hint: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    status: int = 2
    result: Mapping[str, Any] = field(default_factory=dict)


def run_command_line(
    app: typer.Typer,
    program: str,
    arguments: Sequence[str],
    *,
    command: str,
    interrupted: str = "interrupted",
    plainly: Callable[[Sequence[str]], bool] = lambda _: False,
) -> int:
    """Run a command and return its exit status.

    Errors are one message and a hint on standard error; with ``--json`` also an object on standard
    output; with ``--debug`` the traceback stands before them.

    Args:
        program: how the program is called, such as ``lambda-image-check``.
        command: the name of the command in JSON.
        interrupted: what is said of an interruption that says nothing itself.
        plainly: runs the arguments that it understands without typer, and returns whether it did.

    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(app, program, arguments, plainly)
    except SystemExit:
        return 0  # rich ends so where the reader of the help has gone
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  (the last line before a person)
        if isinstance(error, BrokenPipeError) and is_output_unread():
            return 0  # as `--help | head` ends
        failure = _failure(error, program, command, interrupted)
        if DEBUG in arguments:
            say(traceback.format_exc())
    say(f"error: {failure.message}")
    for line in (failure.hint or "").splitlines():
        say(f"hint: {line}")
    if _wants_json(arguments):
        said = {
            "code": failure.code,
            "message": failure.message,
            "hint": failure.hint,
            "details": failure.details,
        }
        with contextlib.suppress(CommandError):
            print_answer(envelope(command, failure.result, ok=False, error=said))
    return failure.status


def _run(
    app: typer.Typer,
    program: str,
    arguments: Sequence[str],
    plainly: Callable[[Sequence[str]], bool],
) -> int:
    if any(not _is_text(argument) for argument in arguments):
        raise UsageError("an argument is not text in UTF-8")
    try:
        if plainly(arguments):
            return 0
        # Not app(): that answers an interruption, and a pipe that was closed, in a way of its own.
        command = typer.main.get_command(app)
        with command.make_context(program, list(arguments) or ["--help"]) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return 0


def _failure(error: BaseException, program: str, command: str, interrupted: str) -> _Failure:
    match error:
        case CommandError():
            hint = error.hint
            if hint is None and type(error) is UsageError:
                hint = _help_command(program, command)
            return _Failure(
                error.code,
                error.message,
                hint,
                error.details,
                error.exit_status,
                error.result,
            )
        case TyperException():
            return _Failure(UsageError.code, *_usage(error, _help_command(program, command)))
        case KeyboardInterrupt():
            # A command that has begun to change something says how that stands.
            said, _, hint = str(error.args[0] if error.args else "").partition("\n")
            message = f"interrupted; {said}" if said else interrupted
            return _Failure("INTERRUPTED", message, hint or None)
        case FileNotFoundError() if not _is_folder_there():
            return _Failure(
                "FAILED", "the folder that this was run in is gone", "cd to a folder that is there"
            )
        case MemoryError():
            return _Failure("OUT_OF_MEMORY", "there is not enough memory to read the image")
        case _:
            return _internal_error(error)


def _is_folder_there() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return False
    return True


def _help_command(program: str, command: str) -> str:
    called = program if program.endswith(command) else f"{program} {command}".rstrip()
    return f"{called} --help"


def _usage(error: TyperException, help_command: str) -> tuple[str, str]:
    """Return what is wrong with the arguments, and what to do."""
    name = getattr(error, "option_name", None)
    if not name:
        return error.format_message(), help_command
    context = getattr(error, "ctx", None)
    known = [option for one in context.command.params for option in one.opts] if context else []
    near = [*(option for option in known if option.startswith(name))]
    near += getattr(error, "possibilities", None) or []
    return f"no such option: {name}", f"did you mean {near[0]}?" if near else help_command


def _internal_error(error: BaseException) -> _Failure:
    """Report a fault of this program: where it is in our own code, and where the rest is."""
    message = f"internal error: {type(error).__name__} in {_own_place(error.__traceback__)}"
    report = f"please report it: {HOME_URL}/issues"
    try:
        handle, path = tempfile.mkstemp(prefix="traceback-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(traceback.format_exception(error))
    except OSError:
        return _Failure("INTERNAL_ERROR", message, f"{DEBUG} prints the traceback; {report}")
    return _Failure(
        "INTERNAL_ERROR", message, f"the traceback is in {path}; {report}", {"traceback": path}
    )


def _own_place(trace: TracebackType | None) -> str:
    """Return the innermost line of our own: what the standard library did is its consequence."""
    place = "an unknown place"
    for frame, line in traceback.walk_tb(trace):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in _OWN:
            place = f"{module.replace('.', '/')}.py:{line}"
    return place


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether they ask for JSON; also where they are wrong, so that typer did not read them."""
    pairs = itertools.pairwise(arguments)
    return JSON in arguments or "--format=json" in arguments or ("--format", "json") in pairs


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True
