"""A7: the function names a tag."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import REPOSITORY_URI, RUN, Case, E, W, scratch

CASES = (
    Case(
        name="a7-tag-in-the-template",
        make=scratch(RUN),
        properties={},
        image_uri=f"{REPOSITORY_URI}:latest",
        findings={"A7": E},
    ),
    Case(
        name="a7-no-tag",
        make=scratch(RUN),
        properties={},
        image_uri=REPOSITORY_URI,
        findings={"A7": E},
    ),
    Case(
        # As most templates of SAM have it; right as long as no tag is used twice.
        name="a7-a-tag-of-its-own",
        make=scratch(RUN),
        properties={},
        image_uri=f"{REPOSITORY_URI}:v7",
        findings={"A7": W},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a7(case: Case, finds: Finds) -> None:
    finds(case)
