"""The measurements of the image reader, with small images."""

import gzip
from hashlib import sha256
from pathlib import Path

import pytest

from benchmarks.image_reader.images import bomb_image, large_image, largest_blob
from benchmarks.image_reader.process import Run, run_program
from benchmarks.image_reader.run import YARDSTICK, check, measure, table


@pytest.mark.proof
def test_everything_is_measured_once_in_a_round(tmp_path: Path) -> None:
    image = large_image(tmp_path, 50_000)

    measured = measure(image, tmp_path, rounds=1)

    assert {name: [run.status for run in runs] for name, runs in measured.items()} == {
        "`check`, the first time": [0],
        "`check`, the second time": [0],
        YARDSTICK: [0],
        "inflate and hash, zlib": [0],
        "inflate and hash, isal.isal_zlib": [0],
    }


@pytest.mark.proof
def test_the_peers_read_the_layer(tmp_path: Path) -> None:
    image = large_image(tmp_path, 50_000)
    blob = largest_blob(image)

    floor = measure(image, tmp_path, rounds=1)["inflate and hash, zlib"][0]

    stored, content = floor.last_line.split()
    assert stored == blob.name
    assert content == sha256(gzip.decompress(blob.read_bytes())).hexdigest()


def test_the_bomb_is_an_image_that_is_read_to_its_end(tmp_path: Path) -> None:
    run = check(bomb_image(tmp_path, 1_000_000), tmp_path / "cache")

    # Its configuration names another layer, which is known only once it has been read.
    assert run.status == 1


def test_a_program_is_measured_with_what_it_says_last() -> None:
    command = ["sh", "-c", "head -c 50000000 /dev/zero | sha256sum > /dev/null; echo a; exit $X"]
    run = run_program(command, {"X": "3"})

    assert (run.status, run.last_line) == (3, "a")
    assert run.cpu > 0
    assert run.wall > 0
    assert 0.5 < run.peak_mib < 30  # not that of the tests, which start it


def test_ratios_are_to_the_yardstick_of_the_same_round() -> None:
    runs = {
        "ours": [_run(2, 1), _run(9, 1), _run(4, 4)],
        YARDSTICK: [_run(1, 1), _run(3, 4), _run(4, 2)],
    }

    rows = list(table(runs))

    # In the rounds: 2, 3 and 1 times the wall time; 1, 0.25 and 2 times the CPU time.
    assert rows[2] == "| ours | 4.00 | 2.00 to 9.00 | 1.00 | 30 | 2.00 | 1.00 | 0 |"
    assert rows[3].endswith(" | 1.00 | 1.00 | 0 |")
    assert len(rows) == 4


def _run(wall: float, cpu: float) -> Run:
    return Run(wall=wall, cpu=cpu, peak_mib=30, status=0, last_line="")
