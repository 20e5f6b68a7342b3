"""What a check can be asked: each field is an option of the command line."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

from imagecheck.budget import DEFAULT_SECONDS
from imagecheck.image.reference import FORMS


class Format(StrEnum):
    """How the answer is written."""

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
            help="The function's CPU: x86_64 or arm64. Without it, the image's own is taken.",
            show_default=False,
        ),
    ] = None
    template: Annotated[
        Path | None,
        typer.Option(
            help="The CloudFormation template (JSON) that has the function.", show_default=False
        ),
    ] = None
    function: Annotated[
        str | None,
        typer.Option(
            help="The function's logical id, if the template has several.", show_default=False
        ),
    ] = None
    entrypoint: Annotated[
        str | None, typer.Option(help="ENTRYPOINT in place of the image's.", show_default=False)
    ] = None
    command: Annotated[
        str | None, typer.Option(help="CMD in place of the image's.", show_default=False)
    ] = None
    workdir: Annotated[
        str | None, typer.Option(help="WORKDIR in place of the image's.", show_default=False)
    ] = None
    env: Annotated[
        list[str] | None,
        typer.Option(
            help="A variable of the function, NAME=value; repeatable.", show_default=False
        ),
    ] = None
    base: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE", help="The base that it must be built on.", show_default=False
        ),
    ] = None
    dockerfile: Annotated[
        Path | None,
        typer.Option(help="The Dockerfile, to see that no base can drift.", show_default=False),
    ] = None
    against: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE",
            help="Another image: say what differs, the cause of a failure first.",
            show_default=False,
        ),
    ] = None
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE[=REASON]",
            help="Ignore what a rule finds, and say so; repeatable.",
            show_default=False,
        ),
    ] = None
    ignore_file: Annotated[
        Path | None,
        typer.Option(help="A file with one RULE=REASON a line.", show_default=False),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option(
            help="The configuration file, in place of the nearest lambda-image-check.toml or"
            " pyproject.toml.",
            show_default=False,
        ),
    ] = None
    format: Annotated[Format, typer.Option(help="How the answer is written.")] = Format.TEXT
    json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False
    timeout: Annotated[
        float,
        typer.Option(metavar="SECONDS", help="Give up after that long.", min=0),
    ] = DEFAULT_SECONDS
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Read every layer again, and keep nothing.")
    ] = False
    debug: Annotated[
        bool,
        typer.Option("--debug", help="Say how long each step takes, and print stack traces."),
    ] = False

    @property
    def answer_format(self) -> Format:
        """The format that was asked for, in either way."""
        if self.json and self.format not in (Format.TEXT, Format.JSON):
            raise typer.BadParameter(f"--json and --format {self.format.value}: say one of them")
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
