"""H3: the pinned base is an index."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import RUN, Case, W, index_image, scratch

CASES = (
    Case(name="h3-base-is-an-index", make=scratch(RUN), base=index_image(), findings={"H3": W}),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_h3(case: Case, finds: Finds) -> None:
    finds(case)
