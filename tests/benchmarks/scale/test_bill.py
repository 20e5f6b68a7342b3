"""Loads, bills and limits, from figures that are easy to reckon with."""

from itertools import pairwise

import pytest

from benchmarks.scale.bill import ALARM_METRICS, SIZES, bill, total
from benchmarks.scale.evening import Requests
from benchmarks.scale.load import FULL_CPU_MB, Month, busiest, duration_ms, settled, work_of
from benchmarks.scale.operations import STEPS, Operation, Operations
from benchmarks.scale.quotas import first_met, quotas
from benchmarks.scale.report import shares
from benchmarks.scale.stage import stage
from tests.support.documents import document

MONTH = Month()
EVENING = Requests(
    creates=1,
    joins=4,
    looks=4,
    leaves=5,
    errors=0,
    polls=600,
    missed=300,
    unchanged=580,
    files=100,
    bytes_out=500_000,
)
FIXED = {"alarms", "metrics", "dashboard", "secret", "web ACL"}


def _operations() -> Operations:
    by_name = {
        name: Operation(
            name=name,
            status=200,
            actions=("GetItem",) * (1 + name.endswith("new client")),
            read_units=1 + name.endswith("new client") / 2,
            write_units=1,
            told=(),
            wall_ms=5,
            cpu_ms=4,
            log_bytes=300,
            answer_bytes=600,
        )
        for name in STEPS
    }
    return Operations(
        by_name=by_name, start_ms=500, start_cpu_ms=400, room_bytes=800, largest_room_bytes=1100
    )


def test_time_on_lambda_is_cpu_by_the_share_of_a_cpu_and_the_tables() -> None:
    operation = _operations().by_name["get"]
    share = stage().memory_mb / FULL_CPU_MB

    assert duration_ms(operation, MONTH) == pytest.approx(4 / share + MONTH.table_ms)


def test_every_request_to_the_api_is_one_of_the_functions() -> None:
    work = work_of(EVENING, _operations(), MONTH, environments=2)

    assert work.requests == EVENING.to_api == 314
    assert work.gets == 304
    assert work.edge_requests == 100 + 14 + 600


def test_a_client_is_read_once_in_each_environment_and_never_more_often_than_it_asks() -> None:
    few = work_of(EVENING, _operations(), MONTH, environments=1)
    many = work_of(EVENING, _operations(), MONTH, environments=1e6)

    # Five clients, half a unit each; then nearly every request.
    assert few.read_units == pytest.approx(EVENING.to_api + 5 * 0.5)
    assert many.read_units == pytest.approx(EVENING.to_api * 1.5, rel=0.001)
    assert many.seconds > few.seconds


def test_the_busiest_second_is_that_of_the_busy_hours() -> None:
    work = work_of(EVENING, _operations(), MONTH, environments=2)
    found = busiest(30 * 4 * 3600, work, MONTH)

    assert found.evenings == pytest.approx(1)
    assert found.requests == pytest.approx(314)
    # Short requests: an environment serves ten a second.
    assert found.environments == pytest.approx(31.4)


def test_a_bill_grows_with_the_evenings_but_for_what_is_fixed() -> None:
    work, _ = settled(1000, EVENING, _operations(), MONTH)
    one, ten = (
        bill(size, work, MONTH, room_bytes=800, lifetime_s=86_400) for size in (1000, 10_000)
    )

    assert {line.what for line in one if line.what in FIXED} == FIXED
    for small, large in zip(one, ten, strict=True):
        factor = large.units / small.units
        # Of traces the first of each second is taken.
        expected = 1 if small.what in FIXED else 10
        assert factor == pytest.approx(expected) or small.what == "traces"
    assert total(one) < total(ten) < 10 * total(one)
    assert total(one, with_free=True) < total(one)


def test_shares_of_a_bill_add_up_and_move_from_what_is_fixed_to_requests() -> None:
    bills = [
        bill(
            size,
            settled(size, EVENING, _operations(), MONTH)[0],
            MONTH,
            room_bytes=800,
            lifetime_s=86_400,
        )
        for size in SIZES
    ]
    found = shares(bills)

    for column in zip(*found.values(), strict=True):
        assert sum(column) == pytest.approx(100, abs=1)
    small, _, large = found["WAF, web ACL"]
    assert small > 20 > large
    small, _, large = found["CloudFront, requests"]
    assert small < 10 < large


def test_alarms_are_counted_as_the_runbook_counts_them() -> None:
    # 20 of the stage and one of the guard; the runbook's own test counts them in the templates.
    assert f"{ALARM_METRICS} alarm metrics" in document("docs/runbook.md").text


def test_the_limit_that_is_met_first() -> None:
    found = [first_met(settled(size, EVENING, _operations(), MONTH)[1]).name for size in SIZES]

    assert found[-1] == "ours: requests a second of the GET route"
    loads = [settled(size, EVENING, _operations(), MONTH)[1] for size in SIZES]
    for small, large in pairwise(loads):
        assert all(quota.asked(large) >= quota.asked(small) for quota in quotas())
    assert {quota.limit for quota in quotas()} >= {
        stage().requests_per_second,
        stage().reserved_concurrency,
    }
