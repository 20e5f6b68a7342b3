"""C6: the entrypoint is missing."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    EXIT_ERROR,
    PROGRAM,
    RUN,
    Case,
    bad_start,
    scratch,
    shell,
    stacked,
)
from tests.support.imagecheck.images import Directory, File, Opaque, Whiteout
from tests.support.imagecheck.programs import busybox

CASES = (
    bad_start("c6-missing", "C6", scratch()),
    bad_start("c6-removed", "C6", stacked([RUN], [Whiteout("run")])),
    bad_start(
        "c6-folder-removed",
        "C6",
        stacked([File("app/run", PROGRAM, 0o755)], [Opaque("app")], entrypoint=["/app/run"]),
    ),
    bad_start("c6-below-a-file", "C6", scratch(File("app", "", 0o755), entrypoint=["/app/run"])),
    bad_start("c6-slash-behind-the-name", "C6", scratch(RUN, entrypoint=["/run/"])),
    bad_start("c6-name-too-long", "C6", scratch(entrypoint=["/" + "x" * 256])),
    bad_start(
        "c6-file-of-the-interpreter",
        "C6",
        shell(File("bin/sh", busybox(), 0o755), entrypoint=["/bin/sh", "/app/run.sh"], cmd=None),
        error_type=EXIT_ERROR,
    ),
    bad_start(
        "c6-bare-name",
        "C6",
        scratch(RUN, entrypoint=["run"], workdir="/", env={"PATH": "/usr/bin:/bin"}),
    ),
    # Found by no one who owns nothing, or only where Go starts nothing.
    bad_start(
        "c6-bare-name-not-for-others",
        "C6",
        scratch(
            File("bin/run", PROGRAM, 0o750),
            File("sbin/run", PROGRAM, 0o644),
            Directory("usr/bin/run"),
            entrypoint=["run"],
            env={"PATH": "/sbin:/bin:/usr/bin"},
        ),
    ),
    bad_start(
        "c6-bare-name-in-a-relative-folder",
        "C6",
        scratch(RUN, entrypoint=["run"], workdir="/", env={"PATH": ":.:"}),
    ),
    bad_start(
        "c6-bare-script",
        "C6",
        shell(entrypoint=["docker-entrypoint.sh"], cmd=["node", "index.js"]),
    ),
    Case(
        name="c6-good-later-on-path",
        make=scratch(
            Directory("opt/run"),
            File("sbin/run", PROGRAM, 0o700),
            File("usr/bin/run", PROGRAM, 0o755),
            entrypoint=["run"],
            env={"PATH": "/nowhere:/opt:/sbin:/usr/bin:/bin"},
        ),
        is_started=True,
    ),
    bad_start(
        "c6-below-tmp",
        "C6",
        scratch(Directory("tmp"), File("tmp/run", PROGRAM, 0o755), entrypoint=["/tmp/run"]),
    ),
    bad_start(
        "c6-handler-in-shell-form",
        "C6",
        shell(entrypoint=None, cmd=["/bin/sh", "-c", "datadog_lambda.handler.handler"]),
        error_type=EXIT_ERROR,
    ),
    bad_start(
        "c6-behind-a-script",
        "C6",
        shell(
            File("entry.sh", '#!/bin/sh\nexec python -m awslambdaric "$@"\n', 0o755),
            entrypoint=["/entry.sh"],
        ),
        error_type=EXIT_ERROR,
    ),
    Case(
        name="c6-good-behind-a-script",
        make=shell(
            File("entry.sh", '#!/bin/sh\nexec /lambda-entrypoint.sh "$@"\n', 0o755),
            entrypoint=["/entry.sh"],
        ),
        is_started=True,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c6(case: Case, finds: Finds) -> None:
    finds(case)
