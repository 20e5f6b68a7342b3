"""The trial itself, shortened: everything that the rooms are promised to bear."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cdk_context import ROOT
from tests.support.processes import processes_that_know


@pytest.mark.proof
@pytest.mark.timeout(900)
def test_no_fault_leads_to_what_the_contract_does_not_allow() -> None:
    trial = subprocess.run(
        [sys.executable, "-m", "chaos", "--seed", "1", "--operations", "4000"],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert trial.returncode == 0, trial.stdout + trial.stderr


@pytest.mark.proof
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_ends_it_ends_all_that_it_has_started(
    number: signal.Signals, tmp_path: Path
) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "chaos", "--operations", "3000"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as trial:
        assert trial.stdout is not None
        lines = iter(trial.stdout.readline, "")
        # The first line of progress: everything runs.
        assert any(" faults, " in line for line in lines)
        trial.send_signal(number)
        rest = trial.stdout.read()

    assert "error: interrupted" in rest
    assert trial.returncode == 2
    assert list(tmp_path.iterdir()) == []
    assert processes_that_know(str(tmp_path)) == set()
