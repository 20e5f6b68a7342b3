"""Names of headers that others must know too: the distribution in front of the API, and the API."""

from typing import Final

DISTRIBUTION_KEY: Final = "x-distribution-key"
"""The secret of the distribution, which shows that a request came through it."""

ROOM_CREATED: Final = "x-room-created"
"""A room's ``createdAt``, as a client that has seen the room knows it."""
