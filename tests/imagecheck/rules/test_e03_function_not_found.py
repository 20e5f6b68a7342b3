"""E3: the handler's function is missing."""

from textwrap import indent

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import APP, HANDLER, NODE_HANDLER, Case, E, bad_handler, node
from tests.support.imagecheck.images import Directory, File

_APP, _STORE = "var/task/app.py", "var/task/store.py"
CASES = (
    bad_handler("e3-no-function", "E3", "Runtime.HandlerNotFound", "app.lambda_handler", APP),
    bad_handler(
        "e3-folder",
        "E3",
        "Runtime.HandlerNotFound",
        "rooms.handler",
        Directory("var/task/rooms"),
        File("var/task/rooms/app.py", HANDLER),
    ),
    *(
        bad_handler(
            f"e3-{name}", "E3", "Runtime.HandlerNotFound", "app.handler", File(_APP, text), *more
        )
        for name, text, *more in (
            ("only-as-a-program", f"if __name__ == '__main__':\n{indent(HANDLER, '    ')}"),
            (
                "not-in-all",
                "from store import *\n",
                File(_STORE, "__all__ = ['get']\nget = 1\n" + HANDLER),
            ),
            ("not-in-a-star", "from store import *\n", File(_STORE, "def handle(e, c): ...\n")),
        )
    ),
    Case(
        name="e3-node-no-export",
        make=node(File("var/task/index.js", NODE_HANDLER), handler="index.lambdaHandler"),
        findings={"E3": E},
        error_type="Runtime.HandlerNotFound",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_e3(case: Case, finds: Finds) -> None:
    finds(case)
