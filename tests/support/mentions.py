"""Names in the texts of the repository: paths, targets of make, commands and their options."""

import ast
import fnmatch
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import PurePosixPath

from tests.support.cdk_context import ROOT
from tests.support.documents import folders, tracked
from tests.support.strings import strings_of
from tools.commands import check_command, options_of, release_commands

RELEASE = "python -m release"
CHECK = "lambda-image-check"
FILLED_IN = "x"
INSTALLED = ("node_modules", "__pycache__")
# Of a name that the reader chooses: docs/schemas/COMMAND.json, rules/x99_what_is_wrong.py.
_IN_PLACE = re.compile(r"NAME|COMMAND|STAGE|x99")
_TEXTS = {".md", ".py", ".mjs", ".js", ".yml", ".yaml", ".toml", ".json", ".sh", ".in", ""}


def texts() -> Iterator[tuple[str, str]]:
    """Yield path and text of every file that speaks of the repository as it is.

    Tests and the incident invent paths, and lock files have those of others.
    """
    for name in tracked():
        path = PurePosixPath(name)
        if path.parts[0] in {"tests", "demo"} or path.name == "package-lock.json":
            continue
        if path.suffix in _TEXTS and "CHANGELOG" not in path.name:
            yield name, (ROOT / name).read_text(encoding="utf-8")


def paths(text: str) -> Iterator[str]:
    """Yield the paths below a folder of the repository that a text names, patterns too."""
    for match in _pattern_of_paths().finditer(text):
        path = match[1].rstrip("/.")
        if not any(part in INSTALLED for part in path.split("/")) and not _IN_PLACE.search(path):
            yield path


def exists(path: str) -> bool:
    """Tell whether something tracked has that path; of a Python module, without ``.py`` too."""
    if path in tracked() or path in folders() or f"{path}.py" in tracked():
        return True
    return "*" in path and any(fnmatch.fnmatch(name, path) for name in tracked())


@cache
def _pattern_of_paths() -> re.Pattern[str]:
    rooms = {name.partition("/")[0] for name in tracked() if "/" in name}
    names = "|".join(sorted(map(re.escape, rooms)))
    return re.compile(rf"(?<![\w./~$}}<>@*-])((?:{names})/[\w./*-]*\w/?)")


def make_targets() -> frozenset[str]:
    """Return the targets of the Makefile that are no files."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


def made(code: str) -> Iterator[str]:
    """Yield the targets of a line such as ``sudo make tools`` or ``make run PORT=8080``."""
    match = re.match(r"(?:\$ )?(?:sudo )?make((?: [\w=-]+)+)(?:\s|$)", code)
    for word in match[1].split() if match else []:
        if "=" not in word:
            yield word


def unknown_options(code: str) -> Iterator[str]:
    """Yield what the commands of a line have not: commands, and options of commands."""
    for match in re.finditer(rf"(?:{RELEASE}|(?<![\w./-])release) ([a-z]+)([^`|&;)\n]*)", code):
        if match[1] in _options():
            yield from _unknown(match[1], match[2])
        elif match[0].startswith(RELEASE) and match[1] != FILLED_IN:
            yield match[1]
    for match in re.finditer(rf"(?<![\w./-]){CHECK}((?: [^`|&;)\n]*)?)", code):
        yield from _unknown(CHECK, match[1])


def _unknown(name: str, rest: str) -> Iterator[str]:
    for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest.partition(RELEASE)[0]):
        if option not in _options()[name]:
            yield f"{name} {option}"


@cache
def _options() -> Mapping[str, frozenset[str]]:
    commands = {**release_commands(), CHECK: check_command()}
    return {name: frozenset(options_of(command)) for name, command in commands.items()}


def messages(source: str) -> Iterator[str]:
    """Yield the strings of a Python file; what is filled in is ``x``.

    Docstrings are strings, and those of commands are their help.
    """
    yield from strings_of(ast.parse(source), FILLED_IN)
