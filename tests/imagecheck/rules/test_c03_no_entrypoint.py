"""C3: no ENTRYPOINT."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    INVALID_ENTRYPOINT,
    RUN,
    Case,
    E,
    bad_start,
    scratch,
    shell,
)

CASES = (
    Case(
        name="c3-nothing-to-start",
        make=scratch(RUN, entrypoint=None),
        findings={"C3": E},
        error_type=INVALID_ENTRYPOINT,
    ),
    bad_start("c3-no-entrypoint", "C3", shell(entrypoint=None)),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c3(case: Case, finds: Finds) -> None:
    finds(case)
