"""The rush with SimPy: the same rules, written apart from ours, and one event at a time."""

import random
from collections.abc import Generator
from typing import Any

import simpy

from benchmarks.scale.page import back_off_s, interval_s, jittered
from benchmarks.scale.simulation import PLAYERS, Costs, Limits, Rush

Process = Generator[simpy.Event, Any, Any]
CREATE, LOOK, JOIN, POLL, LEAVE = range(5)


class World:
    def __init__(self, limits: Limits, costs: Costs, rush: Rush, seed: int) -> None:
        self.env = simpy.Environment()
        self.rng = random.Random(seed)
        self.limits, self.costs, self.rush = limits, costs, rush
        self.buckets = [Bucket(limits.route_rate, limits.route_burst) for _ in range(4)]
        self.account = Bucket(limits.account_rate, limits.account_burst)
        self.table = Bucket(1, 1)
        self.starts = Bucket(limits.scaling_per_second, limits.scaling_burst)
        self.idle = self.started = 0
        self.requests = {200: 0, 429: 0, 503: 0}
        self.opened = self.seated = 0

    def run(self) -> None:
        for _ in range(self.rush.rooms):
            at = self.rng.uniform(0, self.rush.open_s)
            self.env.process(self.host(at))
        self.env.run(until=self.rush.horizon_s)

    def share(self, status: int) -> float:
        return self.requests[status] / sum(self.requests.values())

    def later(self, wait: float) -> simpy.Event:
        return self.env.timeout(jittered(wait, self.rng.random()))

    def ask(self, kind: int) -> int:
        """What the API answers now; whatever it takes begins now."""
        now = self.env.now
        status = self.answer(kind, now)
        self.requests[status] += 1
        return status

    def answer(self, kind: int, now: float) -> int:
        route = self.buckets[{POLL: 1, LEAVE: 3}.get(kind, kind)]
        if not route.take(now, 1) or not self.account.take(now, 1):
            return 429
        taken = max(self.costs.seconds[kind], 0.1)
        if self.idle:
            self.idle -= 1
        elif self.started < int(self.limits.concurrency) and self.starts.take(now, 1):
            self.started += 1
            taken += self.costs.start_s
        else:
            return 503
        self.env.process(self.free_after(taken))
        cost = (
            self.costs.reads[kind] / self.limits.table_reads
            + self.costs.writes[kind] / self.limits.table_writes
        )
        return 200 if self.table.take(now, cost) else 503

    def free_after(self, seconds: float) -> Process:
        yield self.env.timeout(seconds)
        self.idle += 1

    def persist(self, kind: int) -> Process:
        for press in range(self.rush.presses):
            for attempt in range(4):
                if self.ask(kind) == 200:
                    yield self.env.timeout(self.rush.trip_s)
                    return True
                if attempt < 3:
                    yield self.env.timeout(self.rush.trip_s)
                    yield self.later(back_off_s(attempt))
            if press < self.rush.presses - 1:
                yield self.env.timeout(self.rush.trip_s)
                yield self.later(self.rush.press_s)
        return False

    def host(self, at: float) -> Process:
        yield self.env.timeout(at)
        if (yield self.env.process(self.persist(CREATE))):
            self.opened += 1
            room = Room(self.env.now + self.rush.lobby_s)
            for _ in range(PLAYERS - 1):
                self.env.process(self.guest(room))
            yield self.env.process(self.lobby(room))

    def guest(self, room: "Room") -> Process:
        yield self.env.timeout(self.rng.uniform(0, self.rush.follow_s))
        if not (yield self.env.process(self.persist(LOOK))):
            return
        yield self.later(self.rush.type_s)
        if (yield self.env.process(self.persist(JOIN))):
            room.version += 1
            yield self.env.process(self.lobby(room))

    def lobby(self, room: "Room") -> Process:
        self.seated += 1
        shown, changed_at, failures = room.version, self.env.now, 0
        while self.env.now < room.ends_at:
            if self.rush.cache_s and self.env.now < room.cached_until:
                status = 200
                self.requests[200] += 1
            else:
                status = self.ask(POLL)
                if status == 200 and self.rush.cache_s:
                    room.cached_until = self.env.now + self.rush.trip_s + self.rush.cache_s
            yield self.env.timeout(self.rush.trip_s)
            if status != 200:
                failures += 1
                yield self.later(back_off_s(failures))
                continue
            failures = 0
            if room.version > shown:
                shown, changed_at = room.version, self.env.now
            yield self.later(interval_s(self.env.now - changed_at))
        while self.ask(LEAVE) != 200:
            failures += 1
            yield self.env.timeout(self.rush.trip_s)
            yield self.later(back_off_s(failures))


class Room:
    def __init__(self, ends_at: float) -> None:
        self.ends_at = ends_at
        self.version = 1
        self.cached_until = -1.0


class Bucket:
    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst, self.tokens, self.at = rate, burst, burst, 0.0

    def take(self, now: float, cost: float) -> bool:
        self.tokens = min(self.burst, self.tokens + self.rate * (now - self.at))
        self.at = now
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True
