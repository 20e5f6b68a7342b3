"""C5: imageConfig given in part."""

import pytest

from tests.imagecheck.cases import APP, INVALID_ENTRYPOINT, Case, E, python
from tests.imagecheck.rules.conftest import Finds

CASES = (
    Case(
        name="c5-command-only",
        make=python(APP),
        properties={"ImageConfig": {"Command": ["app.handler"]}},
        findings={"C5": E},
        error_type=INVALID_ENTRYPOINT,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c5(case: Case, finds: Finds) -> None:
    finds(case)
