"""The time of a command with all that it starts and leaves behind."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.process_tree import time_of

BURN = "import time\nwhile time.process_time() < 0.3: pass"
LEAVE = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-S", "-c", {BURN!r}])
"""


def seconds(code: str, folder: Path) -> tuple[float, float]:
    return time_of([sys.executable, "-S", "-c", code], folder=folder, environment=os.environ)


def test_what_a_command_leaves_behind_counts(tmp_path: Path) -> None:
    """As Node is left behind by a CDK app: nobody waits for it."""
    _, cpu = seconds(LEAVE, tmp_path)
    assert cpu >= 0.3


@pytest.mark.proof
def test_the_command_itself_counts_and_waiting_does_not(tmp_path: Path) -> None:
    wall, cpu = seconds(BURN, tmp_path)
    assert wall >= 0.3
    assert cpu >= 0.3
    wall, cpu = seconds("import time; time.sleep(1)", tmp_path)
    assert wall >= 1
    assert cpu < wall


def test_it_runs_in_its_folder_and_what_it_prints_is_no_figure(tmp_path: Path) -> None:
    seconds("open('here', 'w').close(); print('[7, 7]')", tmp_path)
    assert (tmp_path / "here").exists()


def test_a_command_that_fails_is_no_figure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="not today"):
        seconds("import sys; sys.exit('not today')", tmp_path)
