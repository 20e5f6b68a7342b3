"""G1: settings that an image function cannot have."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import INVALID_PARAMETER, RUN, Case, E, scratch

CASES = (
    Case(
        name="g1-layers",
        make=scratch(RUN),
        properties={"Layers": ["arn:aws:lambda:ap-northeast-1:123456789012:layer:x:1"]},
        findings={"G1": E},
        error_type=INVALID_PARAMETER,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_g1(case: Case, finds: Finds) -> None:
    finds(case)
