"""Markdown in which a stranger's text shows what it is, and words for lists and counts."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

MAX_SHOWN: Final = 160
"""The most characters of one text that are shown."""
MAX_LISTED: Final = 12
"""The most of anything that is listed for one resource or permission."""


def code(text: str) -> str:
    """Return a text as code, in which Markdown, HTML, links and mentions have no effect.

    Invisible characters, and those that would move other text (line breaks, bidirectional and
    combining characters), are escaped as in Python. The fence is longer than any in the text:
    https://spec.commonmark.org/0.31.2/#code-spans
    """
    # Cut before, since the text may be long, and after, since escapes make it longer.
    shown = _cut("".join(map(_visible, _cut(text))))
    if not shown:
        return "*empty*"
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    pad = " " if "`" in (shown[0], shown[-1]) or shown[0] == shown[-1] == " " else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def code_pair(old: str, new: str) -> tuple[str, str]:
    """Return two texts as code. Of long ones, what is shown begins where they differ."""
    start = 0
    if max(len(old), len(new)) > MAX_SHOWN:
        pairs = enumerate(zip(old, new, strict=False))
        differs = next((place for place, (a, b) in pairs if a != b), min(len(old), len(new)))
        start = max(0, differs - _BEFORE)
    old, new = (f"{'…' if start else ''}{text[start:]}" for text in (old, new))
    return code(old), code(new)


def codes(texts: Sequence[str]) -> str:
    """Return texts as code, and the number of those beyond ``MAX_LISTED``."""
    shown = [code(text) for text in texts[:MAX_LISTED]]
    if len(texts) > MAX_LISTED:
        shown.append(f"{len(texts) - MAX_LISTED} more")
    return ", ".join(shown) or "nothing"


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence; there is at least one."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def count(number: int, what: str) -> str:
    """Return a number and a noun that has a regular plural."""
    return f"{number} {what}{'' if number == 1 else 's'}"


# How much of the equal part is shown before two texts differ.
_BEFORE: Final = 30
# https://www.unicode.org/reports/tr9/#Table_Bidirectional_Character_Types: right to left.
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
# Letters and symbols without a visible shape.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def _visible(character: str) -> str:
    if (
        character.isprintable()
        and not unicodedata.category(character).startswith("M")
        and unicodedata.bidirectional(character) not in _RIGHT_TO_LEFT
        and character not in _BLANK
    ):
        return character
    return character.encode("unicode_escape").decode()


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
