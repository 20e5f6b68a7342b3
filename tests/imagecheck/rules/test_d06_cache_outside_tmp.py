"""D6: caches outside of /tmp."""

import pytest

from tests.imagecheck.cases import RUN, Case, W, scratch
from tests.imagecheck.rules.conftest import Finds

CASES = (
    Case(
        name="d6-cache-folder",
        make=scratch(RUN, env={"HF_HOME": "/var/cache"}),
        findings={"D6": W},
        is_started=True,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_d6(case: Case, finds: Finds) -> None:
    finds(case)
