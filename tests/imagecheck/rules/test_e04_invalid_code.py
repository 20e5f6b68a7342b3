"""E4: the handler's module has a syntax error."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    HANDLER,
    NODE_HANDLER,
    Case,
    E,
    W,
    app,
    bad_handler,
    node,
    python,
)
from tests.support.imagecheck.images import File

_SYNTAX = "Runtime.UserCodeSyntaxError"


CASES = (
    Case(
        name="e4-too-large-to-judge",
        make=python(File("var/task/app.py", HANDLER + "import " + ".".join(["a"] * 20_000) + "\n")),
        findings={"E4": W},
    ),
    bad_handler("e4-syntax", "E4", _SYNTAX, "app.handler", *app("def handler(event, context:\n")),
    bad_handler(
        "e4-syntax-of-another-module",
        "E4",
        _SYNTAX,
        "app.handler",
        *app("import store\n" + HANDLER, File("var/task/store.py", "if x = 1: pass\n")),
    ),
    bad_handler(
        "e4-not-utf-8", "E4", _SYNTAX, "app.handler", *app(b"name = '\xe9'\n" + HANDLER.encode())
    ),
    Case(
        name="e4-node-module-kind",
        make=node(File("var/task/index.js", "export const handler = async () => ({});\n")),
        findings={"E4": W},
    ),
    Case(
        name="e4-node-exports-in-a-module",
        make=node(
            File("var/task/index.js", NODE_HANDLER),
            File("var/task/package.json", '{"type": "module"}'),
        ),
        findings={"E4": E},
        error_type="ReferenceError",
    ),
    Case(
        name="e4-node-syntax",
        make=node(File("var/task/index.js", "exports.handler = async () => ({\n")),
        findings={"E4": E},
        error_type=_SYNTAX,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_e4(case: Case, finds: Finds) -> None:
    finds(case)
