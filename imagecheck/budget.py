"""How much work an image may cause, so that a small one cannot keep a check busy for long."""

import time
from collections.abc import Callable
from typing import Final

from imagecheck.image.errors import CannotLookError

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

    """

    def __init__(
        self,
        seconds: float = DEFAULT_SECONDS,
        steps: int = MAX_STEPS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._end = clock() + seconds
        self._steps_left = steps
        self._until_look = _STEPS_BETWEEN_LOOKS

    def spend(self, steps: int = 1) -> None:
        """Count some steps. Raises CannotLookError when they or the time are used up."""
        self._steps_left -= steps
        self._until_look -= steps
        if self._steps_left < 0:
            raise CannotLookError("the image takes more steps to read than any real one")
        if self._until_look < 0:
            self._until_look = _STEPS_BETWEEN_LOOKS
            self.look_at_clock()

    def look_at_clock(self) -> None:
        """Raise CannotLookError when the time is used up."""
        if self.seconds_left <= 0:
            raise CannotLookError(
                f"reading the image took longer than {self._seconds:g} s; --timeout gives it more"
            )

    @property
    def seconds_left(self) -> float:
        """How much of the time is left; below zero when none is."""
        return self._end - self._clock()
