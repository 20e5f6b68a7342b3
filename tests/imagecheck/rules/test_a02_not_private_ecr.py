"""A2: not an image of a private ECR repository."""

import pytest

from tests.imagecheck.cases import INVALID_PARAMETER, RUN, Case, E, scratch
from tests.imagecheck.rules.conftest import Finds

CASES = (
    Case(
        name="a2-not-in-private-ecr",
        make=scratch(RUN),
        properties={},
        image_uri="public.ecr.aws/lambda/nodejs@{digest}",
        findings={"A2": E},
        error_type=INVALID_PARAMETER,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a2(case: Case, finds: Finds) -> None:
    finds(case)
