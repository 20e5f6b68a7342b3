"""The rush: that it adds up, does not depend on the part that is played, and agrees with SimPy."""

from dataclasses import replace

import pytest

from benchmarks.scale.simulation import Costs, Limits, Outcome, Rush, simulate
from tests.benchmarks.scale.one_by_one import World

COSTS = Costs(
    seconds=(0.05, 0.03, 0.04, 0.03, 0.05),
    reads=(0.5, 1.5, 0.5, 1.5, 1.5),
    writes=(2, 0, 1, 0, 1),
    start_s=0.5,
)
# Small enough for one event at a time.
RUSH = Rush(rooms=300, open_s=60, lobby_s=60, follow_s=20, horizon_s=180)
ENOUGH = Limits(
    route_rate=1e6, route_burst=1e6, account_rate=1e6, concurrency=1e5, scaling_burst=1e5
)
LIMITS = {
    "enough": ENOUGH,
    "routes": replace(ENOUGH, route_rate=25, route_burst=50),
    "account": replace(ENOUGH, account_rate=100, account_burst=50),
    "environments": replace(ENOUGH, concurrency=20),
    "scaling": replace(ENOUGH, scaling_per_second=0.25, scaling_burst=3),
    "table": replace(ENOUGH, table_reads=150, table_writes=150),
}


def _shares(found: Outcome) -> tuple[float, ...]:
    return (found.opened, found.seated, found.answered_429, found.answered_503)


@pytest.mark.proof
@pytest.mark.parametrize("cache_s", [0, 1])
@pytest.mark.parametrize("name", LIMITS)
def test_it_agrees_with_simpy(name: str, cache_s: float) -> None:
    rush = replace(RUSH, cache_s=cache_s)
    world = World(LIMITS[name], COSTS, rush, seed=3)
    world.run()
    found = simulate(LIMITS[name], COSTS, rush, scale=1)

    assert found.requests == pytest.approx(sum(world.requests.values()), rel=0.06)
    assert found.opened == pytest.approx(world.opened / rush.rooms, abs=0.05)
    assert found.seated == pytest.approx(world.seated / rush.rooms / 5, abs=0.05)
    assert found.answered_429 == pytest.approx(world.share(429), abs=0.04)
    assert found.answered_503 == pytest.approx(world.share(503), abs=0.04)
    refused = {"routes": 429, "account": 429}.get(name, 503)
    assert (world.share(refused) > 0.05) == (name != "enough")


def test_where_nothing_is_short_everybody_gets_in() -> None:
    found = simulate(ENOUGH, COSTS, RUSH, scale=1)

    assert _shares(found) == (1, 1, 0, 0)
    assert found.recovered_s == 0


@pytest.mark.proof
def test_the_edge_keeps_requests_from_the_api() -> None:
    with_cache = simulate(ENOUGH, COSTS, RUSH, scale=1)
    without = simulate(ENOUGH, COSTS, replace(RUSH, cache_s=0), scale=1)

    assert without.most_api == without.most_viewer
    assert with_cache.most_api < 0.7 * without.most_api


def test_requests_are_counted_once() -> None:
    found = simulate(LIMITS["routes"], COSTS, RUSH, scale=1)

    counted = sum(window.viewer for window in found.windows) * 5
    assert counted == pytest.approx(found.requests)
    refused = sum(window.throttled + window.refused for window in found.windows) * 5
    assert refused == pytest.approx(found.requests * (found.answered_429 + found.answered_503))


@pytest.mark.proof
@pytest.mark.parametrize("name", ["routes", "environments", "table"])
def test_the_part_that_is_played_does_not_matter(name: str) -> None:
    large = replace(RUSH, rooms=30_000)
    of = LIMITS[name]
    limits = replace(
        of,
        **{
            field: getattr(of, field) * 100
            for field in Limits.__dataclass_fields__  # all are counts or rates
        },
    )
    tenth = simulate(limits, COSTS, large, scale=10)
    fiftieth = simulate(limits, COSTS, large, scale=50)

    assert _shares(tenth) == pytest.approx(_shares(fiftieth), abs=0.02)
    assert tenth.most_api == pytest.approx(fiftieth.most_api, rel=0.05)
    # Small numbers vary more, so the highest one is higher.
    assert tenth.most_environments <= fiftieth.most_environments <= 1.4 * tenth.most_environments
