"""E1: the handler's name is malformed."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import APP, Case, E, bad_handler, node

CASES = (
    bad_handler("e1-no-dot", "E1", "Runtime.MalformedHandlerName", "app", APP),
    bad_handler("e1-no-module", "E1", "ValueError", ".handler", APP),
    bad_handler("e1-dots-first", "E1", "TypeError", "..handler", APP),
    *(
        Case(
            name=f"e1-node-{name}",
            make=node(handler=handler),
            findings={"E1": E},
            error_type="Runtime.MalformedHandlerName",
        )
        for name, handler in (("no-dot", "index"), ("two-dots", "../index.handler"))
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_e1(case: Case, finds: Finds) -> None:
    finds(case)
