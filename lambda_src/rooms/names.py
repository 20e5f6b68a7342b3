"""The rules for player names."""

import unicodedata
from typing import Final

MAX_LENGTH: Final = 20
"""In Unicode code points, after trimming and NFC."""

# What JavaScript's String.prototype.trim removes (ECMAScript: WhiteSpace and LineTerminator), so
# that the page and the API agree, and the characters without width that would make a name
# invisible. Python's str.strip differs: it keeps U+FEFF and removes U+001C to U+001F and U+0085.
_TRIMMED: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
    "\u00ad\u034f\u115f\u1160\u180e\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\u3164\uffa0"
)
# Letters and symbols without ink: the Hangul fillers, and Braille without dots.
_BLANKS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# Unicode Bidi_Control: these reorder the text around a name.
_BIDI_CONTROLS: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
# Controls, line and paragraph separators, and halves of surrogate pairs.
_FORBIDDEN_CATEGORIES: Final = frozenset({"Cc", "Zl", "Zp", "Cs"})


class PlayerName(str):
    """A valid name; only ``clean`` makes one."""

    __slots__ = ()


def clean(raw: str) -> PlayerName:
    """Return the name as it is stored and shown: NFC, trimmed, 1 to 20 code points.

    Raises:
        ValueError: the name breaks a rule; the text names it, and follows "Host name ".

    """
    name = unicodedata.normalize("NFC", raw).strip(_TRIMMED)
    if not name:
        raise ValueError("cannot be empty")
    if len(name) > MAX_LENGTH:
        raise ValueError(f"must be {MAX_LENGTH} characters or less")
    if any(
        character in _BIDI_CONTROLS or unicodedata.category(character) in _FORBIDDEN_CATEGORIES
        for character in name
    ):
        raise ValueError("must not contain control characters")
    if not any(map(_is_visible, name)):
        raise ValueError("must have a character that can be seen")
    return PlayerName(name)


def _is_visible(character: str) -> bool:
    # Letters, numbers, punctuation, symbols, and characters that are unassigned in this version of
    # Unicode, such as next year's emoji, but not the plane of invisible marks.
    category = unicodedata.category(character)
    return (
        (category[0] in "LNPS" or category in {"Cn", "Co"})
        and character not in _BLANKS
        and not 0xE0000 <= ord(character) <= 0xE0FFF  # noqa: PLR2004
    )
