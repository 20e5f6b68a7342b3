"""D3: npm writes where it may not."""

import pytest

from tests.imagecheck.cases import EXIT_ERROR, NODE_HANDLER, PROGRAM, Case, E, node
from tests.imagecheck.images import File
from tests.imagecheck.rules.conftest import Finds

CASES = (
    Case(
        name="d3-npx",
        make=node(
            File("usr/bin/npx", PROGRAM, 0o755),
            File("var/task/index.js", NODE_HANDLER),
            entrypoint=["/usr/bin/npx", "aws-lambda-ric"],
        ),
        findings={"D3": E},
        error_type=EXIT_ERROR,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_d3(case: Case, finds: Finds) -> None:
    finds(case)
