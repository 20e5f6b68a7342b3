"""The options of a check: each field is an option of the command line."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from imagecheck.budget import DEFAULT_SECONDS
from imagecheck.errors import UsageError
from imagecheck.image.reference import FORMS


class Format(StrEnum):
    """The formats of the answer."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """The options of a check, as the command line has them."""

    image: Annotated[str, typer.Argument(metavar="IMAGE", help=FORMS, show_default=False)]
    architecture: Annotated[
        str | None,
        typer.Option(
            help="Check for a function of this CPU: x86_64 or arm64. Default: the image's own.",
            show_default=False,
        ),
    ] = None
    template: Annotated[
        Path | None,
        typer.Option(
            help="Read the function from a CloudFormation template (JSON).", show_default=False
        ),
    ] = None
    function: Annotated[
        str | None,
        typer.Option(
            help="Choose a function of the template by its logical id.", show_default=False
        ),
    ] = None
    entrypoint: Annotated[
        str | None, typer.Option(help="Override the image's ENTRYPOINT.", show_default=False)
    ] = None
    command: Annotated[
        str | None, typer.Option(help="Override the image's CMD.", show_default=False)
    ] = None
    workdir: Annotated[
        str | None, typer.Option(help="Override the image's WORKDIR.", show_default=False)
    ] = None
    env: Annotated[
        list[str] | None,
        typer.Option(
            help="Set a variable of the function, NAME=value; repeatable.", show_default=False
        ),
    ] = None
    base: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE", help="Check that the image is built on this base.", show_default=False
        ),
    ] = None
    dockerfile: Annotated[
        Path | None,
        typer.Option(help="Check that this Dockerfile pins its bases.", show_default=False),
    ] = None
    against: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE",
            help="Compare with another image: list the differences, the likeliest cause first.",
            show_default=False,
        ),
    ] = None
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE[=REASON]",
            help="Ignore the findings of a rule, but list them; repeatable.",
            show_default=False,
        ),
    ] = None
    ignore_file: Annotated[
        Path | None,
        typer.Option(
            help="Read rules to ignore from a file, one RULE=REASON a line.", show_default=False
        ),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option(
            help="Read this configuration instead of the nearest lambda-image-check.toml or"
            " pyproject.toml.",
            show_default=False,
        ),
    ] = None
    format: Annotated[Format, typer.Option(help="Choose the format of the answer.")] = Format.TEXT
    json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False
    timeout: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Stop after this time.", min=0),
    ] = DEFAULT_SECONDS
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Read every layer again, and cache nothing.")
    ] = False
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", help="Print how long each step takes, and the traceback of an error."
        ),
    ] = False

    @property
    def answer_format(self) -> Format:
        """The format that ``--json`` or ``--format`` asks for."""
        if self.json and self.format not in (Format.TEXT, Format.JSON):
            raise UsageError(
                f"--json contradicts --format {self.format.value}", hint="leave one of them out"
            )
        return Format.JSON if self.json else self.format


_Options = TypeVar("_Options")


def command_of(run: Callable[[_Options], None], options: type[_Options]) -> Callable[..., None]:
    """Make a command of typer's that takes the fields of a dataclass as its parameters.

    Its help is the docstring of ``run``.
    """
    hints = get_type_hints(options, include_extras=True)

    def command(**given: Any) -> None:
        run(options(**given))

    command.__doc__ = run.__doc__
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if field.default is MISSING else field.default,
                annotation=hints[field.name],
            )
            for field in fields(options)  # type: ignore[arg-type]
        ]
    )
    command.__annotations__ = {field.name: hints[field.name] for field in fields(options)}  # type: ignore[arg-type]
    return command
