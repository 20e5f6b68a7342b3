"""D5: the wrapper script is missing."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    EXIT_ERROR,
    SCRIPT,
    WRAPPING_RUNTIME,
    Case,
    bad_start,
    shell,
)
from tests.support.imagecheck.images import File

CASES = (
    bad_start(
        "d5-no-wrapper",
        "D5",
        shell(
            File("var/runtime/bootstrap", WRAPPING_RUNTIME, 0o755),
            env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"},
        ),
        error_type=EXIT_ERROR,
    ),
    bad_start(
        "d5-wrapper-not-executable",
        "D5",
        shell(
            File("var/runtime/bootstrap", WRAPPING_RUNTIME, 0o755),
            File("opt/bootstrap", SCRIPT, 0o644),
            env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"},
        ),
        error_type=EXIT_ERROR,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_d5(case: Case, finds: Finds) -> None:
    finds(case)
