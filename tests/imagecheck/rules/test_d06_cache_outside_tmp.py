"""D6: caches outside of /tmp."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import RUN, Case, W, app, python, scratch
from tests.support.imagecheck.images import File

_AT_HOME = app(
    "import models\n\n\ndef handler(event, context):\n    return {}\n",
    File("var/task/models.py", "import os\n\nos.makedirs(os.path.expanduser('~/.models'))\n"),
)

_LATER = app(
    "import models\n\n\ndef handler(event, context):\n    return {}\n",
    File(
        "var/task/models.py",
        "import os\n\n\ndef keep():\n    os.makedirs(os.path.expanduser('~/.models'))\n",
    ),
)

CASES = (
    Case(
        name="d6-cache-folder",
        make=scratch(RUN, env={"HF_HOME": "/var/cache"}),
        findings={"D6": W},
        is_started=True,
    ),
    Case(
        name="d6-good-baked-models",
        make=scratch(RUN, File("opt/models/hub/m.bin", "x"), env={"HF_HOME": "/opt/models"}),
        is_started=True,
    ),
    Case(
        name="d6-folder-at-home-when-imported",
        make=python(*_AT_HOME),
        findings={"D6": W},
    ),
    Case(
        name="d6-good-folder-at-home-when-asked-for",
        make=python(*_LATER),
        is_started=True,
    ),
    Case(
        name="d6-good-home-in-tmp",
        make=python(*_AT_HOME, env={"LD_LIBRARY_PATH": "/var/lang/lib", "HOME": "/tmp"}),
        is_started=True,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_d6(case: Case, finds: Finds) -> None:
    finds(case)
