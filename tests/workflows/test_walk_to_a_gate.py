"""The release workflow, walked up to the gate that stops it: an image that does not start.

It comes to no step that needs AWS, so it needs no account; the other stories are in test_walk.py.
"""

from pathlib import Path
from typing import Final

import pytest

from tests.workflows.commits import does_not_start
from tests.workflows.runner import Run
from tests.workflows.world import world

RELEASE: Final = ".venv/bin/python -m release"


def commands(run: Run, job: str) -> list[str]:
    """Return the release commands that a job has run, by their names."""
    return [
        line.removeprefix("exec ").removeprefix(RELEASE).split()[0]
        for line in run.done(job)
        if RELEASE in line
    ]


def assert_stopped_by_boot(run: Run) -> None:
    """See that `boot` has stopped a release, and that nothing came after it."""
    assert not run.succeeded
    assert run.done("verify")[-1] == "make test"
    assert commands(run, "build") == ["build", "check", "boot"]
    assert run.failed() == [f"{RELEASE} boot dev"]
    assert "QUIZ_TABLE" in run.said(f"{RELEASE} boot")
    assert run.results == {
        "verify": "success",
        "build": "failure",
        **dict.fromkeys(["synth", "dev", "prd", "record"], "skipped"),
    }


@pytest.mark.timeout(900)
def test_a_release_whose_image_does_not_start_ends_at_the_gate(tmp_path: Path) -> None:
    with world(tmp_path, account=False) as place:
        assert_stopped_by_boot(place.release("v1", does_not_start(place.main)))
        assert place.github.artifacts_of_run() == []
