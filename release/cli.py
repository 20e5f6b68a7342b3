"""The command line. Exit status 0: the answer is yes; 1: it is no; 2: it could not be found out."""

import contextlib
import io
import os
import shlex
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from typer.exceptions import TyperException

from release.check import check_image
from release.comparison import compare
from release.function import Architecture, Function, split_variable
from release.image.errors import CannotLookError
from release.image.layer_cache import LayerCache, default_folder
from release.image.reference import FORMS, InvalidReferenceError, parse_reference
from release.progress import ProgressBar
from release.report import as_json, as_text, printable
from release.template import read_function

app = typer.Typer(
    name="python -m release",
    help="From source to live digest, and what to do when something breaks.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _release() -> None:
    """From source to live digest, and what to do when something breaks."""


@app.command()
def check(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help=FORMS, show_default=False)],
    template: Annotated[
        Path | None,
        typer.Option(help="The synthesized template that has the function.", show_default=False),
    ] = None,
    function: Annotated[
        str | None,
        typer.Option(
            help="The function's logical id, if the template has several.", show_default=False
        ),
    ] = None,
    architecture: Annotated[
        Architecture | None, typer.Option(help="The function's CPU.", show_default=False)
    ] = None,
    entrypoint: Annotated[
        str | None,
        typer.Option(help="ENTRYPOINT in place of the image's.", show_default=False),
    ] = None,
    command: Annotated[
        str | None, typer.Option(help="CMD in place of the image's.", show_default=False)
    ] = None,
    workdir: Annotated[
        str | None, typer.Option(help="WORKDIR in place of the image's.", show_default=False)
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            help="A variable of the function, NAME=value; repeatable.", show_default=False
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE", help="The base that it must be built on.", show_default=False
        ),
    ] = None,
    dockerfile: Annotated[
        Path | None,
        typer.Option(help="The Dockerfile, to see that no base can drift.", show_default=False),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE",
            help="Another image: say what differs, and what of it explains a failure.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read an image before AWS does, and name what would stop it from starting.

    The image itself is read: from a registry, a folder or a file, without Docker and without root;
    nothing is unpacked. What is learned of a layer is kept, so the next image on the same base is
    read in a moment.

    Say which function it is for: with --template (from `cdk synth`), or at least with
    --architecture. ENTRYPOINT and CMD are written as in a shell, or as a JSON list.

    **Examples**

    `python -m release check oci:build/image --architecture arm64`

    `python -m release check docker://localhost:5000/rooms@sha256:... --template FILE`

    `python -m release check docker://NEW --against docker://OLD --architecture x86_64`

    Exit status 0: nothing stops it; 1: at least one error; 2: it could not be read.
    """
    target = _function(template, function, architecture)
    if workdir == "":
        raise typer.BadParameter("--workdir is empty; leave it out to take the image's")
    target = replace(
        target,
        entrypoint=_words(entrypoint, "--entrypoint") or target.entrypoint,
        command=_words(command, "--command") or target.command,
        workdir=workdir or target.workdir,
        environment={**target.environment, **dict(map(_variable, env or []))},
    )
    cache = LayerCache(default_folder())
    with ProgressBar() as progress:
        report = check_image(
            parse_reference(image),
            target,
            cache=cache,
            progress=progress,
            base=parse_reference(base) if base else None,
            dockerfile=dockerfile,
        )
        differences = None
        if against:
            other = check_image(parse_reference(against), target, cache=cache, progress=progress)
            differences = compare(report, other)
    _print(as_json(report, differences) if json else as_text(report, differences))
    raise typer.Exit(int(report.has_errors))


def main() -> int:
    """Run the command line: one message for whatever goes wrong, and never a stack trace."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run()
    except (CannotLookError, InvalidReferenceError) as error:
        message = str(error)
    except TyperException as error:
        message = f"{error.format_message()}\nTry: python -m release check --help"
    except KeyboardInterrupt:
        message = "interrupted; nothing was changed"
    except MemoryError:
        message = "there is not enough memory to read the image"
    except Exception as error:  # noqa: BLE001  (the last line before a person)
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        message = f"a fault of this program, {type(error).__name__} in {place}: please report it"
    with contextlib.suppress(OSError):
        typer.echo("error: " + printable(message, keep="\n"), err=True)
    return 2


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


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def _function(
    template: Path | None, logical_id: str | None, architecture: Architecture | None
) -> Function:
    if template is None:
        if logical_id:
            raise typer.BadParameter("--function names one of --template FILE")
        if architecture is None:
            raise typer.BadParameter(
                "say which function the image is for: --template FILE or --architecture arm64"
            )
        return Function(architecture)
    declared = read_function(template, logical_id)
    if architecture not in (None, declared.architecture):
        raise typer.BadParameter(
            f"the function in {template} is {declared.architecture}: leave --architecture out"
        )
    return declared


def _words(text: str | None, option: str) -> tuple[str, ...] | None:
    """Read a command: a JSON list, or words as in a shell."""
    if text is None:
        return None
    try:
        is_json = text.startswith("[")
        words = msgspec.json.decode(text, type=list[str]) if is_json else shlex.split(text)
    except (ValueError, msgspec.DecodeError) as error:
        raise typer.BadParameter(f"{option}: {error}") from None
    if not words:
        raise typer.BadParameter(f"{option} is empty; leave it out to take the image's")
    return tuple(words)


def _variable(text: str) -> tuple[str, str]:
    if "=" not in text or text.startswith("="):
        # What stands there may be a secret, so it is not repeated.
        raise typer.BadParameter("--env wants NAME=value")
    return split_variable(text)


def _print(text: str) -> None:
    try:
        typer.echo(text)
    except OSError as error:
        # Python's own last flush goes where it can:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # Where who read the output has gone, the answer stays what it is.
        if not isinstance(error, BrokenPipeError):
            raise CannotLookError(f"the answer cannot be written: {error.strerror}") from None
