"""E1: the handler's name is malformed."""

import pytest

from tests.imagecheck.cases import APP, IMPORT_ERROR, NODE_HANDLER, Case, E, W, bad_handler, node
from tests.imagecheck.images import File
from tests.imagecheck.rules.conftest import Finds

CASES = (
    bad_handler("e1-no-dot", "E1", "Runtime.MalformedHandlerName", "app", APP),
    bad_handler("e1-no-module", "E1", "ValueError", ".handler", APP),
    bad_handler("e1-dots-first", "E1", "TypeError", "..handler", APP),
    *(
        Case(
            name=f"{rule.lower()}-node-{name}",
            make=node(*members, handler=handler),
            findings={rule: severity},
            error_type=type_,
        )
        for rule, name, severity, type_, handler, members in (
            ("E1", "no-dot", E, "Runtime.MalformedHandlerName", "index", ()),
            ("E1", "two-dots", E, "Runtime.MalformedHandlerName", "../index.handler", ()),
            ("E2", "no-module", E, IMPORT_ERROR, "index.handler", ()),
            (
                "E2",
                "typescript",
                E,
                IMPORT_ERROR,
                "index.handler",
                (File("var/task/index.ts", NODE_HANDLER),),
            ),
            (
                "E3",
                "no-export",
                E,
                "Runtime.HandlerNotFound",
                "index.lambdaHandler",
                (File("var/task/index.js", NODE_HANDLER),),
            ),
            (
                "E4",
                "module-kind",
                W,
                "",
                "index.handler",
                (File("var/task/index.js", "export const handler = async () => ({});\n"),),
            ),
        )
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_e1(case: Case, finds: Finds) -> None:
    finds(case)
