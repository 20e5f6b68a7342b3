"""What is said of the load: throughput, percentiles, ratios, and where the time goes."""

from pathlib import Path

import pytest

from benchmarks.load import run
from benchmarks.load.client import OPERATIONS, Seen
from benchmarks.load.run import (
    OURS,
    PEER,
    Case,
    Turn,
    cpu_table,
    measure,
    percentile,
    picture,
    table,
    turn,
)
from benchmarks.load.servers import EDGE, FUNCTION, TABLE, Server, local_system, peer
from imagecheck.errors import FailedError


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [
        ([3.0], 99, 3.0),
        ([4.0, 1.0, 3.0, 2.0], 50, 2.0),
        ([float(number) for number in range(200, 0, -1)], 99, 198.0),
        ([float(number) for number in range(200, 0, -1)], 100, 200.0),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(
    values: list[float], percent: int, found: float
) -> None:
    assert percentile(values, percent) == found


def test_a_turn_is_reckoned_by_the_requests_that_were_answered() -> None:
    outcomes = {"200": 5, "304": 2, "201": 1, "429": 2, "RemoteDisconnected": 3}
    seen = Seen(seconds=2.5, milliseconds=[1.0] * 9 + [7.0], outcomes=outcomes, cpu_ms=30)

    found = turn(seen, {EDGE: 100, "clients": 30})

    assert found == Turn(
        per_second=4,
        p50=1,
        p99=7,
        failures={"429": 2, "RemoteDisconnected": 3},
        cpu_ms={EDGE: 10, "clients": 3},
    )


def test_a_turn_without_an_answer_is_an_error() -> None:
    seen = Seen(seconds=1, milliseconds=[], outcomes={"ConnectionRefusedError": 4}, cpu_ms=1)

    with pytest.raises(ValueError, match=r"no request was answered: .*Refused"):
        turn(seen, {})


def _turn(per_second: float, **failures: int) -> Turn:
    cpu_ms = {EDGE: 4.0, FUNCTION: 3.0, TABLE: 2.0, "clients": 1.0}
    return Turn(per_second, 1.5, 9.25, failures, cpu_ms)


MEASURED = {
    Case("look", 8, OURS): [_turn(10), _turn(40, error=2), _turn(20, error=1)],
    Case("look", 8, PEER): [_turn(100), _turn(80), _turn(50)],
}


def test_ratios_are_to_the_peer_in_the_same_round() -> None:
    *_, row = table(MEASURED)

    # In the rounds: 0.1, 0.5 and 0.4.
    assert row == ("| look | 8 | 20 | 10 to 40 | 1.5 | 9.2 | error: 3 | 80 | 1.5 | 9.2 | 0.40 |")


def test_the_cpu_time_of_each_part_is_told() -> None:
    *_, row = cpu_table(MEASURED)

    assert row == "| look | 8 | 4.00 | 3.00 | 2.00 | 1.00 | 4.00 | 1.00 |"


@pytest.mark.parametrize("lines", [table(MEASURED), cpu_table(MEASURED)], ids=["table", "CPU"])
def test_a_row_has_a_cell_for_each_column(lines: list[str]) -> None:
    assert len({line.count("|") for line in lines}) == 1


def test_the_picture_has_bars_of_both() -> None:
    drawn = picture(MEASURED)

    for text in ("look, 8", OURS, PEER, "20", "80"):
        assert f">{text}<" in drawn


def test_a_server_that_does_not_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONSAFEPATH", "1")
    monkeypatch.setattr("benchmarks.load.servers.ROOT", tmp_path)

    with pytest.raises(FailedError, match="No module named"), peer(tmp_path):
        pass


@pytest.mark.proof
def test_the_local_system_plays_evenings_beside_its_peer(tmp_path: Path) -> None:
    with local_system(tmp_path / "local") as ours, peer(tmp_path / "peer") as other:
        servers: dict[str, Server] = {OURS: ours, PEER: other}
        measured = measure(servers, clients=[2], rounds=1, seconds=0.5, warm_up_seconds=0.5)

    assert set(measured) == {Case(name, 2, server) for name in OPERATIONS for server in servers}
    for (found,) in measured.values():
        assert found.failures == {}
    evening = measured[Case("evening", 2, OURS)][0]
    assert all(evening.cpu_ms[part] > 0 for part in (EDGE, FUNCTION, TABLE, run._CLIENT))
