"""The limits of the simulation, against what is known of them by theory."""

import numpy as np
import pytest

from benchmarks.scale.limits_model import Environments, TokenBucket

SLOT_S = 0.2


def _poisson(rate: float, seconds: float, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(0, seconds, rng.poisson(rate * seconds)))


def erlang_b(servers: int, load: float) -> float:
    """The share of calls that are lost, by Erlang's recursion."""
    lost = 1.0
    for count in range(1, servers + 1):
        lost = load * lost / (count + load * lost)
    return lost


def _served(environments: Environments, times: np.ndarray, duration: float) -> float:
    served = 0
    for begin in np.arange(0, times[-1], SLOT_S):
        here = times[(times >= begin) & (times < begin + SLOT_S)]
        served += int(environments.serve(here, np.full(len(here), duration), begin, SLOT_S).sum())
    return served / len(times)


def _warm(count: int, **other: float) -> Environments:
    return Environments(
        limit=count, per_second=0, burst=0, start_s=0, warm=count, shortest_s=0, **other
    )


@pytest.mark.parametrize(("servers", "load"), [(5, 3.0), (20, 15.0), (20, 25.0), (60, 60.0)])
def test_environments_lose_what_erlang_says(servers: int, load: float) -> None:
    """Poisson arrivals, no retries: M/G/c/c, whose loss depends on the load alone."""
    duration = 0.25
    times = _poisson(load / duration, seconds=400)

    lost = 1 - _served(_warm(servers), times, duration)

    assert lost == pytest.approx(erlang_b(servers, load), abs=0.02)


def test_erlang_b_is_right() -> None:
    """Known values: https://en.wikipedia.org/wiki/Erlang_(unit)#Erlang_B_formula."""
    assert erlang_b(1, 1.0) == pytest.approx(0.5)
    assert erlang_b(2, 1.0) == pytest.approx(0.2)
    assert erlang_b(10, 5.0) == pytest.approx(0.018385, rel=1e-3)


def test_as_many_are_busy_as_little_says() -> None:
    environments = _warm(1000)
    times = _poisson(200, seconds=60)
    busy = []
    for begin in np.arange(0, 60, SLOT_S):
        here = times[(times >= begin) & (times < begin + SLOT_S)]
        environments.serve(here, np.full(len(here), 0.3), begin, SLOT_S)
        busy.append(environments.busy)

    assert np.mean(busy[50:]) == pytest.approx(200 * 0.3, rel=0.07)


def test_an_environment_serves_ten_requests_a_second() -> None:
    environments = Environments(limit=10, per_second=0, burst=0, start_s=0, warm=10)

    share = _served(environments, _poisson(1000, seconds=30), 0.001)

    assert share * 1000 == pytest.approx(100, rel=0.05)


def test_environments_start_no_faster_than_the_scaling_rate() -> None:
    environments = Environments(limit=10_000, per_second=100, burst=500, start_s=1)
    started = []
    for begin in np.arange(0, 5, SLOT_S):
        times = np.full(1000, begin + 0.001)
        environments.serve(times, np.full(1000, 100.0), begin, SLOT_S)
        started.append(environments.started)

    assert started[0] == 500
    assert started[-1] == pytest.approx(500 + 100 * 4.8, abs=25)


def test_the_first_request_waits_for_the_start() -> None:
    environments = Environments(limit=1, per_second=10, burst=1, start_s=1, shortest_s=0)
    every = [float(at) for at in np.arange(0.05, 2.4, 0.2)]
    served = [
        bool(environments.serve(np.array([at]), np.array([0.1]), index * SLOT_S, SLOT_S)[0])
        for index, at in enumerate(every)
    ]

    # One at once; it is busy for 1.1 s.
    assert served == [True, False, False, False, False, False, True] + [True] * 5


@pytest.mark.parametrize("scale", [1, 10])
def test_a_bucket_lets_its_rate_and_once_its_burst_through(scale: int) -> None:
    bucket = TokenBucket(rate=500 / scale, burst=1000 / scale)
    times = _poisson(3000 / scale, seconds=60)
    passed = 0
    for begin in np.arange(0, 60, SLOT_S):
        here = times[(times >= begin) & (times < begin + SLOT_S)]
        passed += int(bucket.take(here, np.ones(len(here))).sum())

    assert passed * scale == pytest.approx(500 * 60 + 1000, rel=0.01)


def test_a_bucket_that_is_not_emptied_refuses_nobody() -> None:
    bucket = TokenBucket(rate=500, burst=1000)
    times = _poisson(400, seconds=30)

    for begin in np.arange(0, 30, SLOT_S):
        here = times[(times >= begin) & (times < begin + SLOT_S)]
        assert bucket.take(here, np.ones(len(here))).all()


def test_tokens_come_evenly_within_an_interval() -> None:
    bucket = TokenBucket(rate=100, burst=1)
    times = np.linspace(0, 0.1999, 2000)

    passed = times[bucket.take(times, np.ones(2000))]

    assert len(passed) in (20, 21)
    assert np.diff(passed) == pytest.approx(0.01, abs=0.001)
