"""A stranger's text in Markdown: it stays in its place, and shows what it is."""

import re
import unicodedata
from typing import Final

MAX_SHOWN: Final = 160
"""The most characters of one text that are shown."""


def code(text: str) -> str:
    """Return a text as code, in which Markdown, HTML, links and mentions are nothing special.

    What cannot be seen, or would move other text (line breaks, bidirectional and combining
    characters), is written out as in Python. The fence is longer than any in the text:
    https://spec.commonmark.org/0.31.2/#code-spans
    """
    # Cut before, since it may be long, and after, since what is written out is longer.
    seen = _cut("".join(map(_visible, _cut(text))))
    if not seen:
        return "*empty*"
    fence = "`" * (max(map(len, re.findall("`+", seen)), default=0) + 1)
    pad = " " if "`" in (seen[0], seen[-1]) or seen[0] == seen[-1] == " " else ""
    return f"{fence}{pad}{seen}{pad}{fence}"


def code_pair(old: str, new: str) -> tuple[str, str]:
    """Return two texts as code; where they are long, what is shown begins where they differ."""
    start = 0
    if max(len(old), len(new)) > MAX_SHOWN:
        pairs = enumerate(zip(old, new, strict=False))
        differs = next((place for place, (a, b) in pairs if a != b), min(len(old), len(new)))
        start = max(0, differs - _BEFORE)
    old, new = (f"{'…' if start else ''}{text[start:]}" for text in (old, new))
    return code(old), code(new)


# How much of what is the same is shown before it differs.
_BEFORE: Final = 30
# https://www.unicode.org/reports/tr9/#Table_Bidirectional_Character_Types: what runs leftwards.
_LEFTWARDS: Final = frozenset({"R", "AL", "AN"})
# Letters and symbols that look like nothing.
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def _visible(character: str) -> str:
    if (
        character.isprintable()
        and not unicodedata.category(character).startswith("M")
        and unicodedata.bidirectional(character) not in _LEFTWARDS
        and character not in _BLANK
    ):
        return character
    return character.encode("unicode_escape").decode()


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
