"""C15: the working directory is wrong."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import INVALID_ENTRYPOINT, RUN, Case, E, W, bad_start, scratch
from tests.support.imagecheck.images import Directory

CASES = (
    *(
        bad_start(f"c15-{name}", "C15", scratch(RUN, *members, workdir=workdir), error_type=type_)
        for name, workdir, type_, members in (
            ("missing", "/nowhere", "Runtime.InvalidWorkingDir", ()),
            ("relative", "var/task", "Runtime.InvalidWorkingDir", (Directory("var/task"),)),
            (
                "below-a-closed-folder",
                "/root/app",
                INVALID_ENTRYPOINT,
                (Directory("root", 0o700), Directory("root/app")),
            ),
            ("file", "/run", INVALID_ENTRYPOINT, ()),
        )
    ),
    Case(
        name="c15-closed",
        make=scratch(RUN, Directory("root", 0o700), workdir="/root"),
        findings={"C15": E},
        error_type=INVALID_ENTRYPOINT,
        is_started=True,
    ),
    Case(name="c15-none", make=scratch(RUN, workdir=None), findings={"C15": W}),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c15(case: Case, finds: Finds) -> None:
    finds(case)
