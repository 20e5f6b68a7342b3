"""E5: the handler's module is a built-in one."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import HANDLER, Case, bad_handler
from tests.support.imagecheck.images import File

CASES = (
    bad_handler(
        "e5-built-in",
        "E5",
        "Runtime.BuiltInModuleConflict",
        "time.handler",
        File("var/task/time.py", HANDLER),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_e5(case: Case, finds: Finds) -> None:
    finds(case)
