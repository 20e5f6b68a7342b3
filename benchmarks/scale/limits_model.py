"""The limits of AWS as the simulation has them: token buckets, and the environments of a function.

Counts and rates may be scaled: with a hundredth of the rooms a hundredth of each limit.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Times = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

STEP_S: Final = 0.01
"""How finely environments become free, in seconds."""

SHORTEST_S: Final = 0.1
"""An environment serves ten requests a second at most, so it is taken for a tenth of one.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""


class TokenBucket:
    """A rate with a burst, as API Gateway and DynamoDB have it.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html

    Args:
        rate: tokens a second.
        burst: the most that it holds, which it has at the beginning.

    """

    def __init__(self, *, rate: float, burst: float) -> None:
        self.rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = 0.0

    def take(self, times: Times, costs: Times) -> Flags:
        """Return which requests get their tokens.

        Args:
            times: when they arrive, in order, and after all before.
            costs: the tokens of each.

        """
        wanted = float(costs.sum())
        if not len(times) or wanted <= self._tokens:
            now = float(times[-1]) if len(times) else self._at
            self._tokens = min(self._burst, self._tokens + self.rate * (now - self._at) - wanted)
            self._at = now
            return np.ones(len(times), dtype=np.bool_)
        allowed = []
        tokens, at = self._tokens, self._at
        for now, cost in zip(times.tolist(), costs.tolist(), strict=True):
            tokens = min(self._burst, tokens + self.rate * (now - at))
            at = now
            allowed.append(cost <= tokens)
            if cost <= tokens:
                tokens -= cost
        self._tokens, self._at = tokens, at
        return np.array(allowed, dtype=np.bool_)


class Environments:
    """The environments of a function: each serves one request at a time.

    A request that finds none free starts one, if concurrency and scaling rate allow that; else it
    is refused. https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html

    Args:
        limit: how many there may be.
        per_second: how many may start in a second; what is not used is not saved up beyond
            ``burst``.
        burst: how many may start at once.
        start_s: how long a start takes, before the request.
        warm: how many there are at the beginning.
        shortest_s: how long a request takes an environment at least.

    """

    def __init__(
        self,
        *,
        limit: float,
        per_second: float,
        burst: float,
        start_s: float,
        warm: int = 0,
        shortest_s: float = SHORTEST_S,
    ) -> None:
        self._limit = int(limit)
        self._per_second = per_second
        self._burst = burst
        self._may_start = burst
        self._start_s = start_s
        self._shortest_s = shortest_s
        self.started = self._idle = warm
        self._ends: npt.NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        self._clock = 0

    @property
    def busy(self) -> int:
        """How many serve a request, or may not serve another one yet."""
        return self.started - self._idle

    def serve(self, times: Times, durations: Times, begin: float, seconds: float) -> Flags:
        """Return which requests of an interval are served.

        Args:
            times: when they arrive, in order.
            durations: how long each takes.
            begin: when the interval begins.
            seconds: its length, a multiple of ``STEP_S``.

        """
        served = np.ones(len(times), dtype=np.bool_)
        taken_s = np.maximum(durations, self._shortest_s)
        self._make_room(ceil((float(taken_s.max(initial=0)) + self._start_s) / STEP_S) + 1)
        first = 0
        for last in _step_ends(times, begin, seconds):
            self._step()
            if last > first:
                self._admit(served[first:last], taken_s[first:last])
            first = last
        return served

    def _step(self) -> None:
        self._clock = (self._clock + 1) % len(self._ends)
        self._idle += int(self._ends[self._clock])
        self._ends[self._clock] = 0
        self._may_start = min(self._burst, self._may_start + self._per_second * STEP_S)

    def _admit(self, served: Flags, taken_s: Times) -> None:
        count = len(served)
        warm = min(count, self._idle)
        cold = max(0, min(count - warm, self._limit - self.started, int(self._may_start)))
        served[warm + cold :] = False
        self._idle -= warm
        self.started += cold
        self._may_start -= cold
        taken_s = taken_s[: warm + cold].copy()
        taken_s[warm:] += self._start_s
        steps = np.maximum(1, np.rint(taken_s / STEP_S).astype(np.int64))
        np.add.at(self._ends, (self._clock + steps) % len(self._ends), 1)

    def _make_room(self, steps: int) -> None:
        if steps < len(self._ends):
            return
        larger = np.zeros(2 * steps, dtype=np.int64)
        rolled = np.roll(self._ends, -self._clock)
        larger[: len(rolled)] = rolled
        self._ends, self._clock = larger, 0


def _step_ends(times: Times, begin: float, seconds: float) -> list[int]:
    """Return for each step of an interval how many have arrived by its end."""
    steps = round(seconds / STEP_S)
    ends: list[int] = np.searchsorted(times, begin + STEP_S * np.arange(1, steps + 1)).tolist()
    ends[-1] = len(times)
    return ends
