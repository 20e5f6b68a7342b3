"""C4: the handler as ENTRYPOINT."""

import pytest

from imagecheck.function import Function
from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import HOST_CPU, Case, bad_start, shell

CASES = (
    bad_start("c4-handler-as-entrypoint", "C4", shell(entrypoint=["app.handler"], cmd=None)),
    bad_start(
        "c4-handler-as-entrypoint-of-the-function",
        "C4",
        shell(),
        function=Function(HOST_CPU, entrypoint=("app.handler",)),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c4(case: Case, finds: Finds) -> None:
    finds(case)
