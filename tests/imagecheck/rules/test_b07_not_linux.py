"""B7: not for Linux."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import INVALID_PARAMETER, RUN, Case, E, scratch

CASES = (
    Case(
        name="b7-windows",
        make=scratch(RUN, os="windows"),
        findings={"B7": E},
        error_type=INVALID_PARAMETER,
    ),
    Case(name="b7-no-os", make=scratch(RUN, config_changes={"os": None}), findings={"B7": E}),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_b7(case: Case, finds: Finds) -> None:
    finds(case)
