"""H4: not the image that was checked is deployed."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import REPOSITORY_URI, RUN, Case, W, scratch

CASES = (
    Case(
        # Not pushed yet; test_real_tools.py has one of a registry, which is an error.
        name="h4-another-digest-in-the-template",
        make=scratch(RUN),
        properties={},
        image_uri=f"{REPOSITORY_URI}@sha256:{'0' * 64}",
        findings={"H4": W},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_h4(case: Case, finds: Finds) -> None:
    finds(case)
