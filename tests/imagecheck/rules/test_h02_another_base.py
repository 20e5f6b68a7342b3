"""H2: built on another base than is pinned."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import RUN, Case, E, stacked
from tests.support.imagecheck.images import File

CASES = (
    Case(
        name="h2-another-base",
        make=stacked([File("etc/os-release", "today's")], [RUN]),
        base=stacked([File("etc/os-release", "yesterday's")]),
        findings={"H2": E},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_h2(case: Case, finds: Finds) -> None:
    finds(case)
