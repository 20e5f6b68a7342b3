"""D7: a file hides a module that the runtime client needs."""

import pytest

from local.practice.base_files import PYTHON
from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    EXIT_ERROR,
    HANDLER,
    Case,
    Make,
    bad_start,
    built,
    python,
    python_elsewhere,
)
from tests.support.imagecheck.images import File, layer_of

_ASKING_JSON = "import json\n\n\ndef load(text):\n    return json.loads(text)\n"


def _beside(*members: File) -> Make:
    """Make an image on another base with these files beside a good handler."""
    return built(
        lambda: [python_elsewhere(), layer_of(*members)],
        entrypoint=[f"/usr/local/bin/{PYTHON}", "-m", "awslambdaric"],
        cmd=["main.handler"],
        workdir="/app",
        env={"LD_LIBRARY_PATH": "/usr/local/lib"},
    )


CASES = (
    *(
        bad_start(
            f"d7-{name}",
            "D7",
            _beside(File(f"app/{name}.py", _ASKING_JSON)),
            error_type=EXIT_ERROR,
        )
        for name in ("json", "logging", "types", "re", "decimal", "numbers", "string")
    ),
    bad_start(
        "d7-package",
        "D7",
        _beside(File("app/simplejson/__init__.py", "VERSION = 1\n")),
        error_type=EXIT_ERROR,
    ),
    bad_start(
        "d7-runtime-client",
        "D7",
        _beside(File("app/runtime_client.py", HANDLER)),
        error_type=EXIT_ERROR,
    ),
    *(
        Case(name=f"d7-good-{name}", make=_beside(File(f"app/{name}.py", HANDLER)), is_started=True)
        # Loaded before the folder is looked at, built in, or not needed by the client.
        for name in ("abc", "io", "os", "time", "site", "email", "socket", "calendar", "html")
    ),
    Case(
        name="d7-good-namespace",
        make=_beside(File("app/json/schema.txt", "")),
        is_started=True,
    ),
    Case(
        name="d7-good-on-aws-base",
        make=python(File("var/task/app.py", HANDLER), File("var/task/json.py", _ASKING_JSON)),
        is_started=True,
    ),
)


_QUICK = ("d7-json", "d7-package", "d7-good-email", "d7-good-namespace", "d7-good-on-aws-base")


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name, marks=[] if case.name in _QUICK else [pytest.mark.proof])
        for case in CASES
    ],
)
def test_d7(case: Case, finds: Finds) -> None:
    finds(case)
