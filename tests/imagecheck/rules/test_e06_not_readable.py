"""E6: code that the function may not read."""

import pytest

from local.practice.base_files import SITE_PACKAGES
from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    APP,
    HANDLER,
    IMPORT_ERROR,
    Case,
    E,
    W,
    app,
    bad_handler,
    python,
)
from tests.support.imagecheck.images import Directory, File

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
    bad_handler(
        "e6-installed-file",
        "E6",
        "PermissionError",
        "app.handler",
        *app(
            "import closed\n" + HANDLER,
            File(f"{SITE_PACKAGES}/closed/__init__.py", "", 0o600),
        ),
    ),
    Case(
        name="e6-folder-of-a-package",
        make=python(
            *app(
                "import closed.it\n" + HANDLER,
                Directory("var/task/closed", 0o700),
                File("var/task/closed/it.py", ""),
            )
        ),
        findings={"E6": E, "E2": E},
        error_type=IMPORT_ERROR,
        is_started=True,
    ),
    Case(
        name="e6-named-in-code",
        make=python(
            *app(
                "from pathlib import Path\nDATA = Path('/data/rooms.json')\n" + HANDLER,
                Directory("data", 0o700),
                File("data/rooms.json", "{}"),
            )
        ),
        findings={"E6": W},
        is_started=True,
    ),
    Case(
        name="e6-good-nobody-loads-it",
        make=python(
            APP,
            Directory("var/task/.cache", 0o700),
            File("var/task/tests/test_app.py", "", 0o600),
            File("var/task/coverage/x.json", "", 0o600),
        ),
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
