"""The rules for player names."""

import re
import unicodedata
from typing import Final

from .characters import COMPOSING, FORBIDDEN, INVISIBLE, TRIMMED

MAX_LENGTH: Final = 20
"""In Unicode code points, after trimming and NFC."""

VISIBLE_PATTERN: Final = f"[^{INVISIBLE}]"
"""Matches a name with a character that can be seen."""

_TEXT: Final = f"[^{COMPOSING}{FORBIDDEN}][{COMPOSING}]*"
TEXT_PATTERN: Final = (
    f"^[{TRIMMED}]*"
    f"(?:[{COMPOSING}]+(?:{_TEXT}){{0,{MAX_LENGTH}}}"
    f"|[^{COMPOSING}{FORBIDDEN}{TRIMMED}][{COMPOSING}]*(?:{_TEXT}){{0,{MAX_LENGTH - 1}}})"
    f"[{TRIMMED}]*$"
)
"""Matches what is sent for a name: trimmed, of at most 20 characters, none of them forbidden.

For the API document, whose readers cannot bring a text to NFC: a character that NFC may make one
with the character before it is not counted, so some names that match are too long all the same.
"""

# Halves of surrogate pairs are no text either, but many dialects of patterns cannot say so.
_FORBIDDEN: Final = re.compile(f"[{FORBIDDEN}\ud800-\udfff]")
_VISIBLE: Final = re.compile(VISIBLE_PATTERN)


class PlayerName(str):
    """A valid name; only ``clean`` makes one."""

    __slots__ = ()


def clean(raw: str) -> PlayerName:
    """Return the name as it is stored and shown: NFC, trimmed, 1 to 20 code points.

    Raises:
        ValueError: the name breaks a rule; the text names it, and follows "Host name ".

    """
    name = unicodedata.normalize("NFC", raw).strip(TRIMMED)
    if not name:
        raise ValueError("cannot be empty")
    if len(name) > MAX_LENGTH:
        raise ValueError(f"must be {MAX_LENGTH} characters or less")
    if _FORBIDDEN.search(name):
        raise ValueError("must not contain control characters, U+FFFD or noncharacters")
    if not _VISIBLE.search(name):
        raise ValueError("must have a character that can be seen")
    return PlayerName(name)
