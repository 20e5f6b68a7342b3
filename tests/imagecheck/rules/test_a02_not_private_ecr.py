"""A2: not an image of a private ECR repository."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import INVALID_PARAMETER, RUN, Case, E, scratch

CASES = (
    Case(
        name="a2-not-in-private-ecr",
        make=scratch(RUN),
        properties={},
        image_uri="public.ecr.aws/lambda/nodejs@{digest}",
        findings={"A2": E},
        error_type=INVALID_PARAMETER,
    ),
    *(
        Case(name=f"a2-good-{name}", make=scratch(RUN), properties={}, image_uri=uri)
        for name, uri in {
            "parameter": "${{ImageUri}}",
            "repository-of-the-template": "${{Repository.RepositoryUri}}:v7",
        }.items()
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a2(case: Case, finds: Finds) -> None:
    finds(case)
