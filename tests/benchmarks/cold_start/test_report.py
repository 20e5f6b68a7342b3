"""The tables say medians, ratios within a round, and what is calculated."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.cold_start.catalogue import OURS, PEERS, YARDSTICK
from benchmarks.cold_start.loaded import Loaded, Size, size
from benchmarks.cold_start.process import Sample
from benchmarks.cold_start.report import (
    Figures,
    calculated_ms,
    cold_table,
    p99,
    ratio,
    warm_table,
    write_report,
)
from benchmarks.document import BENCHMARKS, PICTURES
from tests.support.cdk_context import ROOT

BLOCKS = ("cold-start", "cold-start-candidates", "cold-start-files", "cold-start-memory")


def sample(times: float) -> Sample:
    """An environment that takes so many times as much as another one."""
    return Sample(
        init_ms=90 * times,
        init_cpu_ms=80 * times,
        first_ms=10 * times,
        first_cpu_ms=8 * times,
        warm_ms=[4 * times, 5 * times, 9 * times],
        warm_cpu_ms=2 * times,
        init_mib=30 * times,
        first_mib=40 * times,
        peak_mib=41 * times,
        init_requests=0,
        first_requests=1,
        warm_requests=1,
    )


@pytest.fixture
def figures() -> Figures:
    """Three rounds. The machine is half as fast in the second one, and ours takes half as long."""
    times = {peer.name: [1.0, 2.0, 1.0] for peer in PEERS} | {OURS: [0.5, 1.0, 0.4]}
    return Figures(
        python="3.13.0",
        node="22.23.3",
        machine="2 cores",
        warm_calls=3,
        authorities=126,
        samples={name: [sample(one) for one in rounds] for name, rounds in times.items()},
        own_lines={peer.name: 60 if peer.own_code else 0 for peer in PEERS},
        loaded={YARDSTICK: Loaded(400, 380, 20_000_000), OURS: Loaded(200, 190, 10_000_000)},
        image=Size(40, 1_250_000),
    )


def test_a_ratio_is_within_a_round(figures: Figures) -> None:
    assert ratio(figures, OURS, lambda sample: sample.cold_ms) == 0.5
    assert ratio(figures, YARDSTICK, lambda sample: sample.cold_ms) == 1


def test_a_row_has_median_and_span(figures: Figures) -> None:
    *_, row = cold_table(figures, {OURS: "ours"})

    assert (
        row == "| ours | 50 (40 to 100) | 0.50 | 44 (35 to 88) | 0.50 | 5.0 | 4.0 | 20.0 | 0.50 |"
    )


def test_a_warm_row_has_percentiles_and_requests(figures: Figures) -> None:
    *_, row = warm_table(figures, {YARDSTICK: "bare boto3"})

    assert row == "| bare boto3 | 5.00 | 1.00 | 17.4 | 2.00 | 1.00 | 1 |"


def test_the_slowest_calls_of_all_rounds_are_in_the_percentile() -> None:
    rounds = [sample(1) for _ in range(33)]

    assert p99(rounds) == 9
    assert p99([*rounds, sample(100)]) > 9


@pytest.mark.parametrize(
    ("memory_mb", "expected"), [(1769, 10), (3538, 10), (884.5, 20), (128, 10 * 1769 / 128)]
)
def test_time_is_calculated_in_parts_of_a_vcpu(memory_mb: int, expected: float) -> None:
    assert calculated_ms(10, memory_mb) == pytest.approx(expected)


def test_the_page_gets_tables_and_a_picture(figures: Figures, tmp_path: Path) -> None:
    (tmp_path / PICTURES).mkdir(parents=True)
    page = tmp_path / BENCHMARKS
    page.write_text((ROOT / BENCHMARKS).read_text(encoding="utf-8"), encoding="utf-8")

    write_report(figures, tmp_path)
    text = page.read_text(encoding="utf-8")
    words = [
        element.text or ""
        for element in ElementTree.parse(tmp_path / PICTURES / "cold-start.svg").iter()
        if element.tag.endswith("text")
    ]

    assert "| bare boto3 | 400 | 380 | 20.0 |" in text
    assert "The image adds 40 files to its base, 1.25 MB." in text
    assert "3 rounds, 3 warm calls in each" in text
    # 8 ms of CPU time, of which a function with 128 MB gets 7 %.
    assert "| bare boto3 | 111 | 28 |" in text
    # What reads an item while it starts is in two tables: of the candidates, and of memory.
    assert text.count("| boto3, reads an item while it starts | 1.00 |") == 1
    assert text.count("| boto3, reads an item while it starts | 111 | 28 |") == 1
    assert (
        text.count("| own signer over http.client | 1.00 | 1.00 | 1.00 | 1.00 | 1.00 | 60 |") == 1
    )
    for peer in PEERS:
        assert f"| {peer.title} |" in text
    assert {"ours", "bare boto3", "Node 22 and AWS SDK 3, bundled"} <= set(words)


def test_the_committed_page_has_everybody() -> None:
    text = (ROOT / BENCHMARKS).read_text(encoding="utf-8")

    for peer in PEERS:
        assert f"| {peer.title} |" in text
    for block in BLOCKS:
        assert f"<!-- {block}: " in text


def test_a_folder_has_the_size_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one").write_bytes(b"12345")
    (tmp_path / "two").write_bytes(b"123")

    assert size(tmp_path) == Size(2, 8)
