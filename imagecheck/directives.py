"""The comments at the top of a Dockerfile that say how to read the rest of it.

https://docs.docker.com/reference/dockerfile/#parser-directives, and where that is silent as
https://github.com/moby/buildkit/blob/master/frontend/dockerfile/parser/directives.go reads them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_KNOWN: Final = {"check", "escape", "syntax"}
_DIRECTIVE: Final = re.compile(
    r"(?P<name>[a-z][a-z0-9]*)[\t\f\r ]*=[\t\f\r ]*(?P<value>.+?)[\t\f\r ]*",
    re.IGNORECASE | re.ASCII,
)
_ESCAPES: Final = ("\\", "`")


@dataclass(frozen=True)
class Syntax:
    """The frontend that a Dockerfile asks for: an image whose program reads it."""

    line: int
    image: str


def escape_of(text: str) -> str:
    """Return the character that continues a line and escapes: a backslash or a backtick.

    Blanks before the comment are allowed. A builder ends with an error for another character.
    """
    for _, name, value in _directives([line.lstrip() for line in text.split("\n")], "#"):
        if name == "escape" and value in _ESCAPES:
            return value
    return "\\"


def syntax_of(text: str) -> Syntax | None:
    """Return the frontend that ``# syntax=`` names; None where the builder's own is used.

    Here a first line ``#!`` is passed over, ``//`` may stand for ``#``, and a comment that is
    indented is none of these.
    """
    lines = text.split("\n")
    first = 2 if lines[0].startswith("#!") else 1
    for comment in ("#", "//"):
        for number, name, value in _directives(lines[first - 1 :], comment):
            if name == "syntax":
                return Syntax(first + number, value.partition(" ")[0])
    return None


def _directives(lines: list[str], comment: str) -> Iterator[tuple[int, str, str]]:
    """Yield index, name in lower case and value; nothing after a line that is no directive."""
    seen: set[str] = set()
    for number, line in enumerate(lines):
        if not line.startswith(comment):
            return
        found = _DIRECTIVE.fullmatch(line.removeprefix(comment).lstrip())
        name = found["name"].lower() if found else ""
        if not found or name not in _KNOWN or name in seen:
            return
        seen.add(name)
        yield number, name, found["value"]
