"""The command ``lambda-image-check``. Exit status 0: no error; 1: an error; 2: it failed."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from imagecheck import __version__
from imagecheck.command_line import SETTINGS, run_command_line
from imagecheck.explain import catalogue, explained
from imagecheck.options import CheckOptions, command_of
from imagecheck.plain_options import plain_options
from imagecheck.run import run_check
from imagecheck.terminal import print_answer

NAME = "lambda-image-check"


def _print_version(is_asked: bool) -> None:
    if is_asked:
        _end_with(f"{NAME} {__version__}")


def _print_rules(is_asked: bool) -> None:
    if is_asked:
        _end_with(catalogue())


def _print_rule(rule: str | None) -> None:
    if rule is not None:
        _end_with(explained(rule))


def _end_with(answer: str) -> None:
    print_answer(answer)
    raise typer.Exit


@dataclass(frozen=True, kw_only=True)
class _Options(CheckOptions):
    list_rules: Annotated[
        bool,
        typer.Option(
            "--list-rules", is_eager=True, callback=_print_rules, help="Print all rules and exit."
        ),
    ] = False
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            is_eager=True,
            callback=_print_rule,
            show_default=False,
            help="Explain a rule: what it looks for, why, and the fix.",
        ),
    ] = None
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version and exit."
        ),
    ] = False


def _check(options: _Options) -> None:
    """Check a container image, and name what would stop it from starting on AWS Lambda.

    Reads the image from a registry, a folder or a file, without Docker and without root. Unpacks
    nothing and runs nothing. Caches the facts of each layer, so the next image on the same base
    takes less than a second.

    Name the function that the image is for: with --template, or at least with --architecture.
    Write ENTRYPOINT and CMD as in a shell, or as a JSON list.

    **Examples**

    `lambda-image-check docker://nginx:latest --architecture arm64`

    `lambda-image-check docker-archive:image.tar --architecture x86_64`

    `lambda-image-check docker://NEW --against docker://OLD --architecture x86_64`

    Exit status 0: no errors; 1: at least one error; 2: the image could not be checked.
    """
    checked = run_check(options)
    print_answer(checked.answer(options.answer_format, NAME))
    raise typer.Exit(checked.exit_status)


app = typer.Typer(
    name=NAME,
    **SETTINGS,
)
app.command()(command_of(_check, _Options))


def main() -> int:
    """Run the command line."""
    return run_command_line(app, NAME, sys.argv[1:], command=NAME, plainly=_plainly)


def _plainly(arguments: Sequence[str]) -> bool:
    options = plain_options(arguments, _Options)
    if options:
        _check(options)
    return options is not None
