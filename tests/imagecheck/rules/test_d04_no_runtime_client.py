"""D4: no runtime client."""

import pytest

from tests.imagecheck.cases import (
    EXIT_ERROR,
    PROGRAM,
    Case,
    W,
    bad_start,
    built,
    python_elsewhere,
    scratch,
    shell,
)
from tests.imagecheck.images import File, Whiteout, layer_of
from tests.imagecheck.python_runtime import PYTHON
from tests.imagecheck.rules.conftest import Finds

CASES = (
    Case(
        name="d4-no-client",
        make=scratch(
            File("usr/bin/node", PROGRAM, 0o755), entrypoint=["/usr/bin/node", "server.js"]
        ),
        findings={"D4": W},
    ),
    bad_start(
        "d4-no-module",
        "D4",
        built(
            lambda: [
                python_elsewhere(),
                layer_of(
                    Whiteout(f"usr/local/lib/{PYTHON}/site-packages/awslambdaric"), parents=False
                ),
            ],
            entrypoint=[f"/usr/local/bin/{PYTHON}", "-m", "awslambdaric"],
            cmd=["main.handler"],
            workdir="/app",
            env={"LD_LIBRARY_PATH": "/usr/local/lib"},
        ),
        error_type=EXIT_ERROR,
    ),
    bad_start(
        "d4-no-bootstrap",
        "D4",
        shell(Whiteout("var/runtime/bootstrap")),
        error_type=EXIT_ERROR,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_d4(case: Case, finds: Finds) -> None:
    finds(case)
