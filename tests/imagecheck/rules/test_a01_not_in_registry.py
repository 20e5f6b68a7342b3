"""A1: the image is not in the registry."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import INVALID_PARAMETER, RUN, Case, E, scratch, then

CASES = (
    Case(
        name="a1-no-such-image",
        make=then(scratch(RUN), lambda image: image.blob(image.digest).unlink()),
        findings={"A1": E},
        error_type=INVALID_PARAMETER,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a1(case: Case, finds: Finds) -> None:
    finds(case)
