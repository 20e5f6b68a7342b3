"""A simulation: very many rooms open within minutes, and their pages do as the page does.

Events have times of their own. Those of a slot of a fifth of a second are handled together, as
arrays: what happens in it changes what its players do next, never what they have just done. That
is a hundred times as fast as one event at a time, so a part of a million rooms is played, a tenth
to a hundredth, against as small a part of every limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from benchmarks.scale.evening import CACHE_S
from benchmarks.scale.limits_model import Environments, TokenBucket
from benchmarks.scale.page import ATTEMPTS, JITTER, LONGEST_WAIT_S

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]
    Places = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

PLAYERS: Final = 5
SLOT_S: Final = 0.2
WINDOW_S: Final = 5.0
"""The length of what figures over time are counted in."""

_CREATE, _LOOK, _JOIN, _POLL, _LEAVE, _GONE = range(6)
# API Gateway's routes: a look and a poll are the same one.
_ROUTE: Final = np.array([0, 1, 2, 1, 3])


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What requests cost, in the order create, look, join, poll, leave.

    ``seconds`` are those of the function, ``reads`` and ``writes`` units of the table.
    """

    seconds: tuple[float, ...]
    reads: tuple[float, ...]
    writes: tuple[float, ...]
    start_s: float


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a stage and its account; rates are a second's.

    ``table_reads`` and ``table_writes`` are what the table takes when it is asked for nothing else.
    """

    route_rate: float
    route_burst: float
    account_rate: float = 10_000
    account_burst: float = 5_000
    concurrency: float = 1_000
    scaling_per_second: float = 100
    scaling_burst: float = 1_000
    table_reads: float = 12_000
    table_writes: float = 4_000


@dataclass(frozen=True, kw_only=True)
class Rush:
    """What is assumed of the players.

    ``open_s``: the rooms open evenly within this time. A friend follows the link within
    ``follow_s``, and types for ``type_s``. When the page gives up, somebody presses again after
    ``press_s``, and gives up with the ``presses``-th time. ``trip_s`` is the way of a request and
    its answer without the function.
    """

    rooms: int = 1_000_000
    open_s: float = 600
    lobby_s: float = 600
    follow_s: float = 60
    type_s: float = 8
    press_s: float = 15
    presses: int = 4
    trip_s: float = 0.05
    cache_s: float = CACHE_S
    horizon_s: float = 1_500


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in a window, for all rooms; rates are a second's."""

    at_s: float
    viewer: float
    api: float
    throttled: float
    refused: float
    environments: float


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. Counts are for all rooms, shares of the requests of players.

    ``answered_429`` is API Gateway's, ``answered_503`` is Lambda's and the table's together.
    ``recovered_s``: after this time since the last room was to open, less than one request in a
    hundred is refused for good; None if that is not within the horizon.
    """

    rooms: int
    opened: float
    seated: float
    requests: float
    answered_429: float
    answered_503: float
    throttled_by_table: float
    most_viewer: float
    most_api: float
    most_environments: float
    recovered_s: float | None
    windows: tuple[Window, ...]


def simulate(
    limits: Limits, costs: Costs, rush: Rush, *, scale: int = 10, seed: int = 17
) -> Outcome:
    """Play a ``scale``-th of the rooms against a ``scale``-th of the limits."""
    return _Simulation(limits, costs, rush, scale, np.random.default_rng(seed)).run()


class _Simulation:
    def __init__(
        self, limits: Limits, costs: Costs, rush: Rush, scale: int, rng: np.random.Generator
    ) -> None:
        self._rush, self._scale, self._rng = rush, scale, rng
        self._seconds = np.array(costs.seconds)
        self._routes = [
            TokenBucket(rate=limits.route_rate / scale, burst=limits.route_burst / scale)
            for _ in range(4)
        ]
        self._account = TokenBucket(
            rate=limits.account_rate / scale, burst=limits.account_burst / scale
        )
        # Reads and writes in any mixture: https://repost.aws/knowledge-center/on-demand-table-throttling-dynamodb
        self._table = TokenBucket(rate=1, burst=1)
        self._table_costs = scale * (
            np.array(costs.reads) / limits.table_reads
            + np.array(costs.writes) / limits.table_writes
        )
        self._environments = Environments(
            limit=limits.concurrency / scale,
            per_second=limits.scaling_per_second / scale,
            burst=limits.scaling_burst / scale,
            start_s=costs.start_s,
        )
        rooms = rush.rooms // scale
        players = rooms * PLAYERS
        is_host = np.arange(players) % PLAYERS == 0
        self._next = np.full(players, np.inf)
        self._next[is_host] = rng.uniform(0, rush.open_s, rooms)
        self._phase = np.where(is_host, _CREATE, _LOOK).astype(np.int8)
        self._failures = np.zeros(players, dtype=np.int8)
        self._pressed = np.zeros(players, dtype=np.int8)
        self._shown = np.zeros(players, dtype=np.int8)
        self._changed_at = np.zeros(players)
        self._version = np.zeros(rooms, dtype=np.int8)
        self._ends_at = np.full(rooms, np.inf)
        self._cached_until = np.full(rooms, -1.0)
        self._rooms, self._players = rooms, players
        self._counts: list[tuple[int, ...]] = []
        self._refused_by_table = 0

    def run(self) -> Outcome:
        slots = round(self._rush.horizon_s / SLOT_S)
        for slot in range(slots):
            self._play(slot * SLOT_S)
        return self._outcome()

    def _play(self, begin: float) -> None:
        due = np.flatnonzero(self._next < begin + SLOT_S)
        # Whoever was due within the slot before, and was only then told so, comes now.
        times = np.maximum(self._next[due], begin)
        order = np.argsort(times, kind="stable")
        due, times = due[order], times[order]
        self._end_lobbies(due, times)
        status = self._answer(due, times, begin)
        self._continue(due, times, status)

    def _end_lobbies(self, due: Places, times: Numbers) -> None:
        """Those whose lobby has ended leave instead of asking once more."""
        ended = (self._phase[due] == _POLL) & (times >= self._ends_at[due // PLAYERS])
        self._phase[due[ended]] = _LEAVE

    def _answer(self, due: Places, times: Numbers, begin: float) -> Places:
        """Return the status of each request: 200, 429 or 503."""
        phases, rooms = self._phase[due].astype(np.int64), due // PLAYERS
        status = np.full(len(due), 200)
        asks_api = np.ones(len(due), dtype=np.bool_)
        waits_for = np.arange(len(due))
        polls = np.flatnonzero(phases == _POLL)
        if self._rush.cache_s:
            asks_api[polls] = times[polls] >= self._cached_until[rooms[polls]]
            missed = polls[asks_api[polls]]
            # Of those who ask at once for one room, one request goes on, and all get its answer.
            _, firsts, group = np.unique(rooms[missed], return_index=True, return_inverse=True)
            waits_for[missed] = missed[firsts[group]]
            asks_api[missed] = False
            asks_api[missed[firsts]] = True
        sent = np.flatnonzero(asks_api)
        status[sent] = self._ask_api(phases[sent], times[sent], begin)
        status = status[waits_for]
        if self._rush.cache_s:
            kept = sent[(phases[sent] == _POLL) & (status[sent] == 200)]
            self._cached_until[rooms[kept]] = times[kept] + self._rush.trip_s + self._rush.cache_s
        self._counts.append(
            (
                len(due),
                len(sent),
                int((status == 429).sum()),
                int((status == 503).sum()),
                self._environments.busy,
                self._environments.started,
            )
        )
        return status

    def _ask_api(self, phases: Places, times: Numbers, begin: float) -> Places:
        status = np.full(len(phases), 429)
        routes = _ROUTE[phases]
        through = np.zeros(len(phases), dtype=np.bool_)
        for route, bucket in enumerate(self._routes):
            of_route = np.flatnonzero(routes == route)
            through[of_route] = bucket.take(times[of_route], np.ones(len(of_route)))
        passed = np.flatnonzero(through)
        passed = passed[self._account.take(times[passed], np.ones(len(passed)))]
        status[passed] = 503
        served = self._environments.serve(
            times[passed], self._seconds[phases[passed]], begin, SLOT_S
        )
        passed = passed[served]
        answered = self._table.take(times[passed], self._table_costs[phases[passed]])
        self._refused_by_table += int((~answered).sum())
        status[passed[answered]] = 200
        return status

    def _continue(self, due: Places, times: Numbers, status: Places) -> None:
        phases = self._phase[due]
        done = status == 200
        self._next[due] = np.inf
        times = times + self._rush.trip_s
        for phase, then in (
            (_CREATE, self._opened),
            (_LOOK, self._looked),
            (_JOIN, self._joined),
            (_POLL, self._polled),
            (_LEAVE, self._left),
        ):
            of_phase = phases == phase
            good = of_phase & done
            then(due[good], times[good])
            failed = of_phase & ~done
            if phase in {_POLL, _LEAVE}:
                self._wait(due[failed], times[failed])
            else:
                self._persist(due[failed], times[failed])

    def _opened(self, hosts: Places, times: Numbers) -> None:
        rooms = hosts // PLAYERS
        self._version[rooms] = 1
        self._ends_at[rooms] = times + self._rush.lobby_s
        self._enter(hosts, times)
        for guest in range(1, PLAYERS):
            follow = self._rng.uniform(0, self._rush.follow_s, len(hosts))
            self._next[hosts + guest] = times + follow

    def _looked(self, guests: Places, times: Numbers) -> None:
        self._phase[guests] = _JOIN
        self._failures[guests] = 0
        self._next[guests] = times + self._rush.type_s * self._jitter(len(guests))

    def _joined(self, guests: Places, times: Numbers) -> None:
        np.add.at(self._version, guests // PLAYERS, 1)
        self._enter(guests, times)

    def _enter(self, players: Places, times: Numbers) -> None:
        self._phase[players] = _POLL
        self._failures[players] = 0
        self._shown[players] = self._version[players // PLAYERS]
        self._changed_at[players] = times
        self._next[players] = times

    def _polled(self, players: Places, times: Numbers) -> None:
        self._failures[players] = 0
        versions = self._version[players // PLAYERS]
        changed = versions > self._shown[players]
        self._shown[players] = versions
        self._changed_at[players[changed]] = times[changed]
        quiet = times - self._changed_at[players]
        waits = np.where(quiet < 60, 2.0, np.where(quiet < 300, 5.0, 15.0))
        self._next[players] = times + waits * self._jitter(len(players))

    def _left(self, players: Places, _: Numbers) -> None:
        self._phase[players] = _GONE

    def _wait(self, players: Places, times: Numbers) -> None:
        """Poll again later, as ``watch.js`` does."""
        self._failures[players] = np.minimum(self._failures[players] + 1, 10)
        self._next[players] = times + self._back_off(players)

    def _persist(self, players: Places, times: Numbers) -> None:
        """Try again, as ``persist.js`` does, and press again when it has given up."""
        self._next[players] = times + self._back_off(players)
        self._failures[players] += 1
        is_at_end = self._failures[players] >= ATTEMPTS
        at_end = players[is_at_end]
        self._failures[at_end] = 0
        self._pressed[at_end] += 1
        gives_up = self._pressed[at_end] >= self._rush.presses
        self._phase[at_end[gives_up]] = _GONE
        again = times[is_at_end] + self._rush.press_s * self._jitter(len(at_end))
        self._next[at_end] = np.where(gives_up, np.inf, again)

    def _back_off(self, players: Places) -> Numbers:
        waits = np.minimum(2.0 ** self._failures[players], LONGEST_WAIT_S)
        return np.asarray(waits * self._jitter(len(players)))

    def _jitter(self, count: int) -> Numbers:
        return self._rng.uniform(1 - JITTER, 1 + JITTER, count)

    def _outcome(self) -> Outcome:
        counts = np.array(self._counts, dtype=float)
        each = round(WINDOW_S / SLOT_S)
        shaped = counts[: len(counts) // each * each].reshape(-1, each, counts.shape[1])
        rates = shaped[:, :, :4].sum(axis=1) / WINDOW_S * self._scale
        # What is busy includes those that wait for their tenth of a second to end.
        environments = shaped[:, :, 4].max(axis=1) * self._scale
        windows = tuple(
            Window(
                at_s=index * WINDOW_S,
                viewer=viewer,
                api=api,
                throttled=throttled,
                refused=refused,
                environments=busy,
            )
            for index, ((viewer, api, throttled, refused), busy) in enumerate(
                zip(rates.tolist(), environments.tolist(), strict=True)
            )
        )
        requests = float(counts[:, 0].sum())
        return Outcome(
            rooms=self._rush.rooms,
            opened=float(np.isfinite(self._ends_at).sum()) / self._rooms,
            seated=float(self._version.sum()) / self._players,
            requests=requests * self._scale,
            answered_429=float(counts[:, 2].sum()) / requests,
            answered_503=float(counts[:, 3].sum()) / requests,
            throttled_by_table=self._refused_by_table / requests,
            most_viewer=max(window.viewer for window in windows),
            most_api=max(window.api for window in windows),
            most_environments=max(window.environments for window in windows),
            recovered_s=_recovered(windows, self._rush.open_s),
            windows=windows,
        )


def _recovered(windows: tuple[Window, ...], since_s: float) -> float | None:
    bad = [
        window.at_s + WINDOW_S
        for window in windows
        if window.throttled + window.refused >= 0.01 * window.viewer > 0
    ]
    if bad and bad[-1] >= windows[-1].at_s:
        return None
    return max(0.0, max(bad, default=0.0) - since_s)
