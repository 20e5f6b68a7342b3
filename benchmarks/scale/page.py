"""The page's waits, as ``frontend/assets/watch.js``, ``waiting.js`` and ``persist.js`` have them.

A test runs those files and compares; another one counts the requests of the real page.
"""

from __future__ import annotations

from typing import Final

JITTER: Final = 0.2
ATTEMPTS: Final = 4
"""How often an action is tried before the player has to press again."""
HIDDEN_S: Final = 30.0
LONGEST_WAIT_S: Final = 30.0
STALE_S: Final = 1.0
"""The wait after an answer that is older than what is shown."""


def interval_s(quiet_s: float, *, is_hidden: bool = False) -> float:
    """Return the time between two requests of a lobby, before jitter, in seconds."""
    if is_hidden:
        return HIDDEN_S
    if quiet_s < 60:
        return 2.0
    return 5.0 if quiet_s < 300 else 15.0


def back_off_s(failures: int) -> float:
    """Return the wait after a failure without Retry-After, before jitter, in seconds."""
    return min(2.0**failures, LONGEST_WAIT_S)


def jittered(wait_s: float, chance: float) -> float:
    """Return a wait with its jitter; ``chance`` is from 0 to 1."""
    return wait_s * (1 - JITTER + 2 * JITTER * chance)
