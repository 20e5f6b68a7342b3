"""Room codes: six characters that are easy to read out and to type."""

import re
import unicodedata
from typing import Final
from urllib.parse import unquote

ALPHABET: Final = "BCDFGHJKMNPQRSTVWXZ23456789"
"""No vowels, so no words; no 0, 1, I, L or O, so no look-alikes."""

LENGTH: Final = 6

PATTERN: Final = f"^[{ALPHABET}]{{{LENGTH}}}$"

_CODE = re.compile(PATTERN)
# Spaces, dashes, controls and zero-width marks; below, the hyphens of Japanese keyboards.
_SEPARATOR_CATEGORIES: Final = frozenset({"Zs", "Zl", "Zp", "Pd", "Cc", "Cf"})
_SEPARATORS: Final = frozenset("~\u2212\u30fc")


def fold(typed: str) -> str | None:
    """Return the code for a typed text, or None if it cannot be one.

    Full-width letters, lower case, spaces and hyphens make no difference. Percent-encoding is
    decoded, for gateways that do not; a code never holds a "%".
    """
    code = "".join(
        character
        for character in unicodedata.normalize("NFKC", unquote(typed)).upper()
        if character not in _SEPARATORS
        and unicodedata.category(character) not in _SEPARATOR_CATEGORIES
    )
    return code if _CODE.fullmatch(code) else None


def encode(entropy: bytes) -> str:
    """Return the code for 32 uniformly random bytes.

    The bias of reducing 256 bits modulo 27^6 (about 2^28.5) is below 2^-227.
    """
    number = int.from_bytes(entropy, "big")
    code = ""
    for _ in range(LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        code += ALPHABET[digit]
    return code
