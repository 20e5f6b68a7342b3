"""C11: the program's loader is missing."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import LINKED, Case, bad_start, run, scratch
from tests.support.imagecheck.images import File

CASES = (
    bad_start("c11-no-loader", "C11", scratch(run(LINKED))),
    bad_start(
        "c11-loader-is-text", "C11", scratch(run(LINKED), File("lib/ld.so", "x" * 99, 0o755))
    ),
    bad_start("c11-loader-is-empty", "C11", scratch(run(LINKED), File("lib/ld.so", "", 0o755))),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c11(case: Case, finds: Finds) -> None:
    finds(case)
