"""B1: an index in place of an image."""

import pytest

from imagecheck.function import Function
from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import INVALID_PARAMETER, OTHER_CPU, Case, E, index_image

CASES = (
    Case(
        name="b1-index",
        make=index_image(),
        findings={"B1": E},
        error_type=INVALID_PARAMETER,
    ),
    Case(
        name="b1-index-of-one",
        make=index_image(other=False),
        findings={"B1": E},
        error_type=INVALID_PARAMETER,
    ),
    Case(
        name="b1-docker-manifest-list",
        make=index_image(docker=True),
        findings={"B1": E},
        error_type=INVALID_PARAMETER,
    ),
    Case(
        name="b1-index-for-other-cpus",
        make=index_image(other=False),
        function=Function(OTHER_CPU),
        findings={"B1": E},
        error_type=INVALID_PARAMETER,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_b1(case: Case, finds: Finds) -> None:
    finds(case)
