"""F3: too many extensions."""

import pytest

from tests.imagecheck.cases import PROGRAM, RUN, Case, E, scratch
from tests.imagecheck.images import File
from tests.imagecheck.rules.conftest import Finds

CASES = (
    Case(
        name="f3-eleven",
        make=scratch(
            RUN, *(File(f"opt/extensions/e{number}", PROGRAM, 0o755) for number in range(11))
        ),
        findings={"F3": E},
        error_type="Extension.LaunchError (TooManyExtensions)",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_f3(case: Case, finds: Finds) -> None:
    finds(case)
