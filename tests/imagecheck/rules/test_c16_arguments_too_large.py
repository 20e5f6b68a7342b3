"""C16: arguments and environment are too large."""

import pytest

from imagecheck.function import Function
from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    HOST_CPU,
    INVALID_PARAMETER,
    RUN,
    Case,
    E,
    bad_start,
    scratch,
)

CASES = (
    bad_start("c16-large-variable", "C16", scratch(RUN, env={"X": "x" * (128 * 1024 - 2)})),
    Case(
        name="c16-just-not-too-large",
        make=scratch(RUN, env={"X": "x" * (128 * 1024 - 3)}),
        is_started=True,
    ),
    Case(
        name="c16-environment-of-the-function",
        make=scratch(RUN),
        function=Function(HOST_CPU, environment={"X": "x" * 4096}),
        findings={"C16": E},
        error_type=INVALID_PARAMETER,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c16(case: Case, finds: Finds) -> None:
    finds(case)
