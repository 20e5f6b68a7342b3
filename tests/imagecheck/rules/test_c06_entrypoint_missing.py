"""C6: the entrypoint is missing."""

import pytest

from tests.imagecheck.cases import (
    EXIT_ERROR,
    PROGRAM,
    RUN,
    Case,
    W,
    bad_start,
    scratch,
    shell,
    stacked,
)
from tests.imagecheck.images import File, Opaque, Whiteout
from tests.imagecheck.programs import busybox
from tests.imagecheck.rules.conftest import Finds

CASES = (
    bad_start("c6-missing", "C6", scratch()),
    bad_start("c6-removed", "C6", stacked([RUN], [Whiteout("run")])),
    bad_start(
        "c6-folder-removed",
        "C6",
        stacked([File("app/run", PROGRAM, 0o755)], [Opaque("app")], entrypoint=["/app/run"]),
    ),
    bad_start("c6-below-a-file", "C6", scratch(File("app", "", 0o755), entrypoint=["/app/run"])),
    bad_start("c6-slash-behind-the-name", "C6", scratch(RUN, entrypoint=["/run/"])),
    bad_start("c6-name-too-long", "C6", scratch(entrypoint=["/" + "x" * 256])),
    bad_start(
        "c6-file-of-the-interpreter",
        "C6",
        shell(File("bin/sh", busybox(), 0o755), entrypoint=["/bin/sh", "/app/run.sh"], cmd=None),
        error_type=EXIT_ERROR,
    ),
    Case(
        name="c6-below-tmp",
        make=scratch(File("tmp/run", PROGRAM, 0o755), entrypoint=["/tmp/run"]),
        findings={"C6": W},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c6(case: Case, finds: Finds) -> None:
    finds(case)
