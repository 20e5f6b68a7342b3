"""C2: files of another CPU than the image says."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    EXIT_ERROR,
    FOREIGN,
    LINKED,
    PROGRAM,
    Case,
    E,
    bad_start,
    run,
    scratch,
    shell,
)
from tests.support.imagecheck.images import File
from tests.support.imagecheck.programs import busybox, of_other_cpu

CASES = (
    bad_start("c2-program", "C2", scratch(run(FOREIGN))),
    bad_start("c2-shell", "C2", shell(File("bin/busybox", of_other_cpu(busybox()), 0o755))),
    bad_start("c2-loader", "C2", scratch(run(LINKED), File("lib/ld.so", FOREIGN, 0o755))),
    bad_start(
        "c2-32-bit",
        "C2",
        scratch(run(PROGRAM[:18] + b"\x28\0" + PROGRAM[20:])),
    ),
    bad_start(
        "c2-bootstrap",
        "C2",
        shell(File("var/runtime/bootstrap", FOREIGN, 0o755)),
        error_type=EXIT_ERROR,
    ),
    Case(
        name="c2-runtime-library",
        make=shell(File("var/lang/lib/x.so", FOREIGN, 0o755)),
        findings={"C2": E},
        error_type=EXIT_ERROR,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c2(case: Case, finds: Finds) -> None:
    finds(case)
