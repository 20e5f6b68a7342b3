"""Room codes: what one friend reads out and four others type."""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

ALPHABET: Final = "BCDFGHJKMNPQRSTVWXZ23456789"
"""No vowels, so no words; no 0, 1, I, L or O, so no look-alikes."""

LENGTH: Final = 6

PATTERN: Final = f"^[{ALPHABET}]{{{LENGTH}}}$"

_CODE = re.compile(PATTERN)
# Spaces, dashes, controls and marks without width, and what Japanese keyboards give for a hyphen.
_SEPARATOR_CATEGORIES: Final = frozenset({"Zs", "Zl", "Zp", "Pd", "Cc", "Cf"})
_SEPARATORS: Final = frozenset("~\u2212\u30fc")


def fold(typed: str) -> str | None:
    """Return the code that somebody meant by what they typed, or None if it cannot be a code.

    Full-width letters, lower case, spaces and hyphens are all the same code. Percent-encoding is
    undone for gateways that hand path parameters on as they came; a code never holds a "%".
    """
    code = "".join(
        character
        for character in unicodedata.normalize("NFKC", unquote(typed)).upper()
        if character not in _SEPARATORS
        and unicodedata.category(character) not in _SEPARATOR_CATEGORIES
    )
    return code if _CODE.fullmatch(code) else None


def encode(entropy: bytes) -> str:
    """Return the code that 32 uniformly random bytes stand for.

    The bias of reducing 256 bits modulo 27^6 (about 2^28.5) is below 2^-227.
    """
    number = int.from_bytes(entropy, "big")
    code = ""
    for _ in range(LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        code += ALPHABET[digit]
    return code
