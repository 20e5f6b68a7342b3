"""D1: not one handler name for AWS's entrypoint."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import EXIT_ERROR, Case, bad_start, shell

CASES = (
    *(
        bad_start(f"d1-{name}", "D1", shell(cmd=cmd), error_type=EXIT_ERROR)
        for name, cmd in {
            "no-command": None,
            "two-arguments": ["app.handler", "more"],
            "shell-form": ["/bin/sh", "-c", "app.handler"],
        }.items()
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_d1(case: Case, finds: Finds) -> None:
    finds(case)
