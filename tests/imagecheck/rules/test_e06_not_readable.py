"""E6: code that the function may not read."""

import pytest

from tests.imagecheck.cases import APP, HANDLER, IMPORT_ERROR, Case, E, W, bad_handler, python
from tests.imagecheck.images import Directory, File
from tests.imagecheck.rules.conftest import Finds

CASES = (
    bad_handler(
        "e6-file", "E6", "PermissionError", "app.handler", File("var/task/app.py", HANDLER, 0o600)
    ),
    Case(
        name="e6-folder",
        make=python(
            Directory("var/task/rooms", 0o700),
            File("var/task/rooms/app.py", HANDLER),
            handler="rooms.app.handler",
        ),
        findings={"E6": E, "E2": E},
        error_type=IMPORT_ERROR,
        is_started=True,
    ),
    Case(
        name="e6-other-file",
        make=python(APP, File("var/task/logo.png", "", 0o600)),
        findings={"E6": W},
        is_started=True,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_e6(case: Case, finds: Finds) -> None:
    finds(case)
