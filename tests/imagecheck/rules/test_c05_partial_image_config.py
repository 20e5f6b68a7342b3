"""C5: ImageConfig given in part."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import APP, INVALID_ENTRYPOINT, Case, E, W, python

CASES = (
    Case(
        name="c5-command-only",
        make=python(APP),
        properties={"ImageConfig": {"Command": ["app.handler"]}},
        findings={"C5": W},
    ),
    *(
        Case(
            name=f"c5-empty-entrypoint-{len(entrypoint)}",
            make=python(APP),
            properties={"ImageConfig": {"EntryPoint": entrypoint, "Command": ["app.handler"]}},
            findings={"C5": E} | ({"C6": E} if entrypoint else {}),
            error_type=INVALID_ENTRYPOINT,
        )
        for entrypoint in ([], [""])
    ),
    Case(name="c5-good-no-image-config", make=python(APP), properties={}),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c5(case: Case, finds: Finds) -> None:
    finds(case)
