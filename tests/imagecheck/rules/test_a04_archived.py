"""A4: the image is archived."""

import json

import pytest

from imagecheck.subject import Repository
from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import DENIES, INVALID_PARAMETER, RUN, Case, E, scratch

CASES = (
    Case(
        name="a4-archived",
        make=scratch(RUN),
        repository=Repository(json.dumps({"Statement": DENIES["Statement"][:1]}), "ARCHIVED"),
        findings={"A4": E},
        error_type=INVALID_PARAMETER,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a4(case: Case, finds: Finds) -> None:
    finds(case)
