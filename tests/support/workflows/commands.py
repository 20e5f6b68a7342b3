"""The release commands that a workflow has run."""

from typing import Final

from tests.support.workflows.runner import Run

RELEASE: Final = ".venv/bin/python -m release"


def commands(run: Run, job: str) -> list[str]:
    """Return the release commands that a job has run, by their names."""
    return [
        line.removeprefix("exec ").removeprefix(RELEASE).split()[0]
        for line in run.done(job)
        if RELEASE in line
    ]
