"""C7: the entrypoint may not be run."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    EXIT_ERROR,
    LINKED,
    PROGRAM,
    RUN,
    SCRIPT,
    Case,
    bad_start,
    run,
    scratch,
    shell,
    stacked,
)
from tests.support.imagecheck.images import Directory, File, Symlink
from tests.support.imagecheck.programs import busybox

CASES = (
    bad_start(
        "c7-file-of-the-interpreter",
        "C7",
        shell(
            File("bin/sh", busybox(), 0o755),
            File("app/run.sh", SCRIPT, 0o600),
            entrypoint=["/bin/sh", "/app/run.sh"],
            cmd=None,
        ),
        error_type=EXIT_ERROR,
    ),
    bad_start("c7-not-executable", "C7", scratch(run(PROGRAM, 0o644))),
    bad_start("c7-not-for-others", "C7", scratch(run(PROGRAM, 0o750))),
    bad_start("c7-mode-of-a-higher-layer", "C7", stacked([RUN], [run(PROGRAM, 0o700)])),
    bad_start(
        "c7-folder-mode-of-a-higher-layer",
        "C7",
        stacked(
            [File("app/run", PROGRAM, 0o755)], [Directory("app", 0o700)], entrypoint=["/app/run"]
        ),
    ),
    bad_start(
        "c7-closed-folder",
        "C7",
        scratch(Directory("app", 0o700), File("app/run", PROGRAM, 0o755), entrypoint=["/app/run"]),
    ),
    bad_start(
        "c7-closed-folder-behind-a-link",
        "C7",
        scratch(Symlink("run", "app/it"), Directory("app", 0o750), File("app/it", PROGRAM, 0o755)),
    ),
    bad_start("c7-folder", "C7", scratch(Directory("run"))),
    bad_start(
        "c7-interpreter-not-for-others",
        "C7",
        scratch(run("#!/bin/it\n"), File("bin/it", PROGRAM, 0o750)),
    ),
    bad_start(
        "c7-loader-not-executable",
        "C7",
        scratch(run(LINKED), File("lib/ld.so", PROGRAM, 0o644)),
    ),
    bad_start(
        "c7-script-not-readable",
        "C7",
        shell(File("run", SCRIPT, 0o711), entrypoint=["/run"]),
        error_type=EXIT_ERROR,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c7(case: Case, finds: Finds) -> None:
    finds(case)
