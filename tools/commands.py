"""Writes docs/commands.md, the reference of all commands: ``python -m tools.commands``."""

from collections.abc import Iterator, Mapping
from enum import EnumType
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

import typer

import imagecheck.cli
import release.cli

PATH: Final = Path(__file__).parents[1] / "docs" / "commands.md"
PROGRAM: Final = "python -m release"

_EXIT: Final = "Exit status"
_HEAD: Final = f"""\
# Commands

Written by `make commands` from the command lines themselves; do not edit it here.
`{PROGRAM}` is run in the root of a checkout. `lambda-image-check` runs anywhere:
[lambda-image-check.md](lambda-image-check.md) explains it.
The terms are explained in the [glossary](glossary.md), the situations in the [runbook](runbook.md).
What `--json` prints has a schema of the command's name in [schemas](schemas).
"""


def render() -> str:
    """Return the text of the committed file."""
    return "\n".join(_lines()).rstrip("\n") + "\n"


def options_of(command: Any) -> dict[str, Any]:
    """Return the options of a command by each of their names, ``--help`` among them."""
    options = [one for one in _parameters(command) if one.param_type_name == "option"]
    return {name: one for one in options for name in (*one.opts, *one.secondary_opts)}


def release_commands() -> Mapping[str, Any]:
    """Return the commands of ``python -m release`` by name, in their order."""
    return {name: release.cli.load_command(name) for name in release.cli.COMMANDS}


def groups_of_commands() -> Mapping[str, tuple[str, ...]]:
    """Return the names of the commands as ``--help`` groups them."""
    return release.cli.GROUPS


def check_command() -> Any:
    """Return the command ``lambda-image-check``."""
    return typer.main.get_command(imagecheck.cli.app)


def _lines() -> Iterator[str]:
    commands = release_commands()
    groups = groups_of_commands()
    yield _HEAD
    yield "| | |"
    yield "|---|---|"
    for title, names in groups.items():
        yield f"| **{title}** | |"
        for name in names:
            yield f"| [`{name}`](#{name}) | {_first_sentence(commands[name])} |"
    yield "| **Images of other projects** | |"
    check = check_command()
    yield f"| [`lambda-image-check`](#lambda-image-check) | {_first_sentence(check)} |"
    yield ""
    for title, names in groups.items():
        yield f"## {title}"
        yield ""
        for name in names:
            yield from _section(name, f"{PROGRAM} {name}", commands[name])
    yield "## Images of other projects"
    yield ""
    yield from _section("lambda-image-check", "lambda-image-check", check)


def _section(title: str, program: str, command: Any) -> Iterator[str]:
    arguments = [one for one in _parameters(command) if one.param_type_name == "argument"]
    # `-h` is a name of `--help`, which each has: one line for each option, not for each name.
    options = list(dict.fromkeys(options_of(command).values()))
    paragraphs = _paragraphs(command)
    yield f"### {title}"
    yield ""
    yield "```text"
    yield " ".join([program, "[OPTIONS]", *map(_placeholder, arguments)])
    yield "```"
    yield ""
    for text in paragraphs:
        if not text.startswith(_EXIT):
            yield text
            yield ""
    yield "| argument, option | default | |"
    yield "|---|---|---|"
    for one in arguments:
        default = "required" if one.required else _default(one)
        yield _row(f"`{_placeholder(one)}`", default, one)
    for one in options:
        # The names of `--help` come from a set.
        ordered = sorted((*one.opts, *one.secondary_opts), key=lambda name: (-len(name), name))
        names = ", ".join(f"`{name}`" for name in ordered)
        value = _value(one)
        yield _row(f"{names} `{value}`" if value else names, _default(one), one)
    yield ""
    for text in paragraphs:
        if text.startswith(_EXIT):
            yield text
            yield ""


def _row(name: str, default: str, parameter: Any) -> str:
    says = [parameter.help or ""]
    if parameter.envvar:
        says.append(f"Also as the variable `{parameter.envvar}`.")
    return " | ".join(["", name, default, " ".join(says).replace("|", "\\|"), ""]).strip()


def _paragraphs(command: Any) -> list[str]:
    """Return the paragraphs of a description, one line each."""
    return [" ".join(text.split("\n")) for text in (command.help or "").strip().split("\n\n")]


def _first_sentence(command: Any) -> str:
    return _paragraphs(command)[0].replace("|", "\\|")


def _parameters(command: Any) -> list[Any]:
    with command.make_context(command.name, ["--help"], resilient_parsing=True) as context:
        return [one for one in command.get_params(context) if not getattr(one, "hidden", False)]


def _placeholder(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    name = f"{name}..." if argument.nargs != 1 or argument.multiple else name
    return name if argument.required else f"[{name}]"


def _value(option: Any) -> str:
    """Return what follows an option's name: its choices, or what kind of value it takes."""
    if option.is_flag:
        return ""
    if option.metavar:
        return str(option.metavar)
    descriptor = getattr(option, "type_descriptor", None)
    if descriptor is None:
        return ""
    return _kind(descriptor.annotation)


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return "\\|".join(map(str, get_args(annotation)))
    if isinstance(annotation, EnumType):
        members: list[Any] = list(annotation)
        return "\\|".join(str(member.value) for member in members)
    kinds: dict[Any, str] = {Path: "PATH", int: "NUMBER", float: "NUMBER"}
    return kinds.get(annotation, "TEXT")


def _default(parameter: Any) -> str:
    default = parameter.default
    if default is None or isinstance(default, bool) or callable(default) or default in ([], ()):
        return ""
    if not parameter.show_default:
        return ""
    value = getattr(default, "value", default)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"`{value}`"


if __name__ == "__main__":
    PATH.write_text(render(), encoding="utf-8")
