"""Words of the comment: lists, counts, a stranger's texts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from release.changes.comment.code_span import code
from release.changes.model import KINDS, Kind

MAX_LISTED: Final = 12
"""The most of anything that is told of one resource or permission."""


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence; there is at least one."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def count(number: int, what: str) -> str:
    """Return how many there are of a thing that has a regular plural."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def codes(texts: Sequence[str]) -> str:
    """Return texts as code, and of too many how many they are."""
    shown = [code(text) for text in texts[:MAX_LISTED]]
    if len(texts) > MAX_LISTED:
        shown.append(f"{len(texts) - MAX_LISTED} more")
    return ", ".join(shown) or "nothing"


def kinds(found: Iterable[Kind]) -> str:
    """Return how many there are of each kind, the worst first; "" for none."""
    counted = Counter(found)
    return ", ".join(f"{counted[kind]} {kind}" for kind in KINDS if counted[kind])
