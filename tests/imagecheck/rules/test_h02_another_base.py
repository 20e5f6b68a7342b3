"""H2: built on another base than is pinned."""

import pytest

from tests.imagecheck.cases import RUN, Case, E, stacked
from tests.imagecheck.images import File
from tests.imagecheck.rules.conftest import Finds

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
