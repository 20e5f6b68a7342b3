"""F3: too many extensions."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import PROGRAM, RUN, Case, E, scratch
from tests.support.imagecheck.images import File

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
