"""A3: lambda may not pull the image."""

import json

import pytest

from imagecheck.subject import Repository
from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import DENIES, RUN, Case, E, W, scratch

CASES = (
    Case(
        name="a3-policy-denies",
        make=scratch(RUN),
        repository=Repository(json.dumps(DENIES), "ACTIVE"),
        findings={"A3": E},
        error_type="ImageAccessDenied",
    ),
    Case(
        name="a3-no-policy",
        make=scratch(RUN),
        repository=Repository(None, "ACTIVE"),
        findings={"A3": W},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a3(case: Case, finds: Finds) -> None:
    finds(case)
