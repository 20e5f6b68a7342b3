r"""Player tokens, and the values derived from them.

A token is the credential of one player. A client may bring its own on create and join; then a
repeat of the request, after an answer was lost, gives the same room code and the same player id,
and so finds its seat. Derivation is HMAC-SHA-256 (RFC 2104) keyed with the token, so no derived
value reveals the token or another value.
"""

import hmac
import re
import secrets
from typing import Final

from . import codes

PATTERN: Final = r"^[A-Za-z0-9_-]{32,128}$"
"""At least 128 bits in hexadecimal; a random UUID matches, and so do the tokens of ``new``."""

_TOKEN = re.compile(PATTERN)


def new() -> str:
    """Return a new token of 256 random bits."""
    return secrets.token_urlsafe(32)


def is_well_formed(token: str) -> bool:
    """Return whether a string has the form of a token."""
    return _TOKEN.fullmatch(token) is not None


def digest(token: str) -> bytes:
    """Return the digest that is stored instead of the token (32 bytes)."""
    return _derive(token, "digest")


def player_id(token: str, room_id: str) -> str:
    """Return the public id (32 hexadecimal digits) of this token's player in a room."""
    return _derive(token, f"player:{room_id}")[:16].hex()


def room_code(token: str, attempt: int) -> str:
    """Return the code that a create with this token tries at its n-th attempt, from 0."""
    return codes.encode(_derive(token, f"room:{attempt}"))


def _derive(token: str, purpose: str) -> bytes:
    return hmac.digest(token.encode(), purpose.encode(), "sha256")
