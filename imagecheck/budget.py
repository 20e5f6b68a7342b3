"""A limit on the work that an image may cause: a small one can ask for much."""

import time
from collections.abc import Callable
from typing import Final

from imagecheck.image.errors import ImageReadError

MAX_STEPS: Final = 30_000_000
"""Steps for one image; a step takes about a microsecond. Real images need less than a tenth."""
DEFAULT_SECONDS: Final = 600.0
_STEPS_BETWEEN_LOOKS = 10_000


class Budget:
    """Counts steps, and looks at the clock now and then.

    Args:
        seconds: how long the check may take in all.
        steps: how many steps it may take.
        clock: the time in seconds, from any start.
        hint: what the user can do when the time is used up.

    """

    def __init__(
        self,
        seconds: float = DEFAULT_SECONDS,
        steps: int = MAX_STEPS,
        clock: Callable[[], float] = time.monotonic,
        hint: str | None = None,
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._hint = hint
        self._end = clock() + seconds
        self._steps_left = steps
        self._until_look = _STEPS_BETWEEN_LOOKS

    def spend(self, steps: int = 1) -> None:
        """Count some steps. Raises ImageReadError when they or the time are used up."""
        self._steps_left -= steps
        self._until_look -= steps
        if self._steps_left < 0:
            raise ImageReadError("reading the image takes more steps than that of any real one")
        if self._until_look < 0:
            self._until_look = _STEPS_BETWEEN_LOOKS
            self.look_at_clock()

    def look_at_clock(self) -> None:
        """Raise ImageReadError when the time is used up."""
        if self.seconds_left <= 0:
            raise ImageReadError(
                f"reading the image took longer than {self._seconds:g} s",
                hint=self._hint,
            )

    @property
    def seconds_left(self) -> float:
        """How much of the time is left; below zero when none is."""
        return self._end - self._clock()
