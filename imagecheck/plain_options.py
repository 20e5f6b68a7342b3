"""The plain forms of the options, without typer: it needs longer for them than a known image takes.

Typer imports pydantic to turn texts into values. Whatever is not plain (``--help``, a wrong value,
an option that ends the command) is left to it, so each has one meaning.
"""

import re
from collections.abc import Sequence
from dataclasses import MISSING, fields
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from typer.models import ParameterInfo

_Options = TypeVar("_Options")

_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)


class _NotPlainError(Exception):
    """It is left to typer."""


def plain_options(arguments: Sequence[str], options: type[_Options]) -> _Options | None:
    """Return the options that are asked for; None where typer is to say what they are."""
    try:
        given = _given(arguments, _settable(options))
    except _NotPlainError:
        return None
    # What has no default is the argument that is not an option.
    needed = {field.name for field in fields(options) if field.default is MISSING}  # type: ignore[arg-type]
    return options(**given) if needed <= given.keys() else None


def _settable(options: type[Any]) -> dict[str, tuple[str, Any]]:
    """Return field and type of each option by its name; the argument has none."""
    hints = get_type_hints(options, include_extras=True)
    found: dict[str, tuple[str, Any]] = {}
    for field in fields(options):
        type_, info = get_args(hints[field.name])[:2]
        assert isinstance(info, ParameterInfo)  # noqa: S101  (each field is declared so)
        if info.callback or info.envvar:
            continue
        names = getattr(info, "param_decls", None) or ("--" + field.name.replace("_", "-"),)
        name = "" if field.default is MISSING else names[0]
        found[name] = field.name, type_
    return found


def _given(arguments: Sequence[str], settable: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    waiting = list(reversed(arguments))
    while waiting:
        word = waiting.pop()
        name, equals, value = word.partition("=") if word.startswith("-") else ("", "=", word)
        if name not in settable:
            raise _NotPlainError
        field, type_ = settable[name]
        if type_ is bool:
            if equals:
                raise _NotPlainError
            given[field] = True
            continue
        if not equals:
            value = waiting.pop() if waiting else ""
        if not value or value.startswith("-") or not value.isprintable():
            raise _NotPlainError
        if list[str] in get_args(type_):
            given.setdefault(field, []).append(value)
        elif field in given:
            raise _NotPlainError
        else:
            given[field] = _value(value, type_)
    return given


def _value(text: str, type_: Any) -> Any:
    kinds = get_args(type_) or (type_,)
    if str in kinds:
        return text
    if Path in kinds:
        return Path(text)
    if float in kinds and _NUMBER.fullmatch(text):
        return float(text)
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, Enum):
            for member in kind:
                if member.value == text:
                    return member
    raise _NotPlainError
