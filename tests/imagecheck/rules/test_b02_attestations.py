"""B2: an image with attestations."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import INVALID_PARAMETER, Case, E, index_image

CASES = (
    Case(
        name="b2-attestation",
        make=index_image(attested=True, other=False),
        findings={"B2": E},
        error_type=INVALID_PARAMETER,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_b2(case: Case, finds: Finds) -> None:
    finds(case)
