"""D4: no runtime client."""

import pytest

from local.practice.base_files import PYTHON
from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    EXIT_ERROR,
    PROGRAM,
    Case,
    E,
    Make,
    W,
    bad_start,
    built,
    python_elsewhere,
    scratch,
    shell,
)
from tests.support.imagecheck.images import File, Member, Whiteout, layer_of


def _server(*members: Member) -> Make:
    return scratch(
        File("usr/bin/node", PROGRAM, 0o755),
        File("app/server.js", "require('http').createServer().listen(8080)\n"),
        *members,
        entrypoint=["/usr/bin/node", "server.js"],
        workdir="/app",
    )


def _without(package: str) -> Make:
    return built(
        lambda: [
            python_elsewhere(),
            layer_of(Whiteout(f"usr/local/lib/{PYTHON}/site-packages/{package}"), parents=False),
        ],
        entrypoint=[f"/usr/local/bin/{PYTHON}", "-m", "awslambdaric"],
        cmd=["main.handler"],
        workdir="/app",
        env={"LD_LIBRARY_PATH": "/usr/local/lib"},
    )


CASES = (
    Case(name="d4-no-client", make=_server(), findings={"D4": E}),
    Case(
        name="d4-behind-an-unknown-extension",
        make=_server(File("opt/extensions/own", PROGRAM, 0o755)),
        findings={"D4": W},
    ),
    Case(
        name="d4-good-web-adapter",
        make=_server(File("opt/extensions/lambda-adapter", PROGRAM, 0o755)),
    ),
    Case(
        name="d4-good-own-client",
        make=_server(File("app/lib/next.js", "fetch(process.env.AWS_LAMBDA_RUNTIME_API)\n")),
    ),
    Case(
        name="d4-emulator",
        make=scratch(
            File("usr/bin/aws-lambda-rie", PROGRAM, 0o755),
            File("app/run", PROGRAM, 0o755),
            entrypoint=["/usr/bin/aws-lambda-rie", "/app/run"],
        ),
        findings={"D4": E},
    ),
    *(
        bad_start(f"d4-{name}", "D4", _without(package), error_type=EXIT_ERROR)
        for name, package in {"no-module": "awslambdaric", "no-simplejson": "simplejson"}.items()
    ),
    Case(
        # What the client goes on without.
        name="d4-good-without-hooks",
        make=_without("snapshot_restore_py"),
        is_started=True,
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
