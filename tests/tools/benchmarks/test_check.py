"""The measurements of ``make benchmark``, with small images."""

from pathlib import Path

import pytest

from tools.benchmarks.check import ROOT, bomb_image, check, large_image, measure, table


@pytest.mark.proof
def test_everything_is_measured_once_in_a_round(tmp_path: Path) -> None:
    image = large_image(tmp_path, 50_000)

    measured = measure(image, tmp_path, baseline=None, rounds=1)

    assert {name: [run.status for run in runs] for name, runs in measured.items()} == {
        "this tree, cold": [0],
        "this tree, cached": [0],
        "skopeo copy": [0],
        "inflate and hash, zlib": [0],
        "inflate and hash, isal.isal_zlib": [0],
    }
    rows = table(measured, "this tree, cold").splitlines()
    assert rows[2].startswith("| this tree, cold | ")
    assert rows[2].endswith(" | 1.00 | 1.00 | 0 |")
    assert len(rows) == 7


def test_the_bomb_is_an_image_that_is_read_to_its_end(tmp_path: Path) -> None:
    run = check(bomb_image(tmp_path, 1_000_000), ROOT, tmp_path / "cache")

    # Its configuration names another layer, which is known only once it has been read.
    assert run.status == 1
