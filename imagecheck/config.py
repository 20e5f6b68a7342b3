"""The configuration file: what a project has decided about its findings.

``lambda-image-check.toml``, or the table ``[tool.lambda-image-check]`` of ``pyproject.toml``::

    [[ignore]]
    rule = "E7"
    reason = "the debugger is never loaded on Lambda"
    image = "docker://*/rooms@*"
    found = "*/node_modules/debugger/*"
"""

import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec

from imagecheck.ignore import Ignore, UnknownRuleError, known_rule
from imagecheck.image.errors import ImageReadError

FILE: Final = "lambda-image-check.toml"
_PROJECT: Final = "pyproject.toml"
_TABLE: Final = "lambda-image-check"


class _Ignore(msgspec.Struct, forbid_unknown_fields=True):
    rule: str
    reason: str
    image: str = ""
    found: str = ""


class _Config(msgspec.Struct, forbid_unknown_fields=True):
    ignore: list[_Ignore] = []


def find_config(folder: Path) -> Path | None:
    """Return the configuration file for a folder: its own, or that of the nearest one above.

    The search ends at the root of a git work tree. Raises ImageReadError when a file on the way
    cannot be read.
    """
    for place in (folder, *folder.parents):
        if (own := place / FILE).is_file():
            return own
        project = place / _PROJECT
        if project.is_file() and _table_of(project) is not None:
            return project
        if (place / ".git").exists():
            return None
    return None


def read_config(path: Path) -> tuple[Ignore, ...]:
    """Return what a configuration file says is ignored.

    Raises ImageReadError when it cannot be read or has something that is not known, and
    UnknownRuleError.
    """
    table = _table_of(path) if path.name == _PROJECT else _read(path)
    if table is None:
        raise ImageReadError(f"{path} has no table [tool.{_TABLE}]")
    try:
        config = msgspec.convert(table, _Config)
    except msgspec.ValidationError as error:
        raise ImageReadError(f"{path}: {error}") from error
    found = []
    for one in config.ignore:
        if not one.reason.strip():
            raise ImageReadError(f"{path}: the reason why {one.rule} is ignored is empty")
        try:
            rule = known_rule(one.rule)
        except UnknownRuleError as error:
            raise UnknownRuleError(f"{path}: {error}", hint=error.hint) from error
        found.append(Ignore(rule=rule, reason=one.reason, image=one.image, found=one.found))
    return tuple(found)


def _table_of(project: Path) -> Any:
    tools = _read(project).get("tool")
    return tools.get(_TABLE) if isinstance(tools, dict) else None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ImageReadError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ImageReadError(f"{path} is not valid TOML: {error}") from error
