"""C10: the script's interpreter is missing."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    EXIT_ERROR,
    PROGRAM,
    Case,
    Make,
    bad_start,
    run,
    scratch,
    shell,
)
from tests.support.imagecheck.images import File, Member, Symlink


def _scripts(count: int) -> tuple[Member, ...]:
    """Return so many scripts, each the interpreter of the one before, and a program below them."""
    scripts = [File(f"s{number}", f"#!/s{number + 1}\n", 0o755) for number in range(1, count)]
    return (run("#!/s1\n"), *scripts, File(f"s{count}", PROGRAM, 0o755))


def _two_on_path(path: str) -> Make:
    """Two programs of one name: the first on PATH is started, whatever the second is."""
    return scratch(
        File("one/run", "#!/bin/bash\n", 0o755),
        File("two/run", PROGRAM, 0o755),
        entrypoint=["run"],
        env={"PATH": path},
    )


CASES = (
    bad_start("c10-no-interpreter", "C10", scratch(run("#!/bin/bash\n"))),
    bad_start(
        "c10-no-interpreter-behind-env",
        "C10",
        shell(
            Symlink("bin/env", "busybox"),
            File("run", "#!/bin/env bash\n", 0o755),
            entrypoint=["/run"],
        ),
        error_type=EXIT_ERROR,
    ),
    bad_start("c10-the-first-on-path", "C10", _two_on_path("/one:/two")),
    Case(name="c10-good-the-first-on-path", make=_two_on_path("/two:/one")),
    bad_start("c10-six-scripts", "C10", scratch(*_scripts(6))),
    bad_start("c10-own-interpreter", "C10", scratch(run("#!/run\n"))),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c10(case: Case, finds: Finds) -> None:
    finds(case)
