"""C1: the image is for another CPU than the function."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import FOREIGN, RUN, Case, W, bad_start, run, scratch, shell
from tests.support.imagecheck.images import File
from tests.support.imagecheck.programs import OTHER, busybox, of_other_cpu

CASES = (
    bad_start("c1-other-cpu", "C1", scratch(run(FOREIGN), architecture=OTHER)),
    bad_start(
        "c1-other-cpu-behind-a-script",
        "C1",
        shell(File("bin/busybox", of_other_cpu(busybox()), 0o755), architecture=OTHER),
    ),
    Case(
        name="c1-only-the-configuration",
        make=scratch(RUN, architecture=OTHER),
        findings={"C1": W},
        is_started=True,
    ),
    Case(
        name="c1-no-architecture",
        make=scratch(RUN, config_changes={"architecture": None}),
        findings={"C1": W},
        is_started=True,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c1(case: Case, finds: Finds) -> None:
    finds(case)
