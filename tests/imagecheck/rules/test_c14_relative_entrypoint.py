"""C14: the entrypoint is not an absolute path."""

import pytest

from tests.imagecheck.cases import PROGRAM, RUN, Case, W, bad_start, scratch
from tests.imagecheck.images import Directory, File
from tests.imagecheck.rules.conftest import Finds

CASES = (
    bad_start(
        "c14-bare-name",
        "C14",
        scratch(RUN, Directory("var/task"), entrypoint=["run"], workdir="/var/task"),
    ),
    Case(
        name="c14-from-the-working-directory",
        make=scratch(
            File("var/task/run", PROGRAM, 0o755), entrypoint=["./run"], workdir="/var/task"
        ),
        findings={"C14": W},
        is_started=True,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c14(case: Case, finds: Finds) -> None:
    finds(case)
