"""A7: the function names a tag."""

import pytest

from tests.imagecheck.cases import REPOSITORY_URI, RUN, Case, E, scratch
from tests.imagecheck.rules.conftest import Finds

CASES = (
    Case(
        name="a7-tag-in-the-template",
        make=scratch(RUN),
        properties={},
        image_uri=f"{REPOSITORY_URI}:latest",
        findings={"A7": E},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a7(case: Case, finds: Finds) -> None:
    finds(case)
