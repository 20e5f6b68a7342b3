"""C9: windows line ends in a script."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import EXIT_ERROR, Case, bad_start, shell
from tests.support.imagecheck.images import File, Symlink
from tests.support.imagecheck.programs import ENTRYPOINT

CASES = (
    bad_start(
        "c9-windows-line-ends",
        "C9",
        shell(File("lambda-entrypoint.sh", ENTRYPOINT.replace("\n", "\r\n"), 0o755)),
    ),
    bad_start(
        "c9-windows-line-ends-behind-env",
        "C9",
        shell(
            Symlink("bin/env", "busybox"),
            File("run", "#!/bin/env sh\r\nexit 0\r\n", 0o755),
            entrypoint=["/run"],
        ),
        error_type=EXIT_ERROR,
    ),
    bad_start(
        "c9-windows-line-ends-behind-an-option",
        "C9",
        shell(File("run", "#!/bin/sh -e\r\nexit 0\r\n", 0o755), entrypoint=["/run"], cmd=None),
        error_type=EXIT_ERROR,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c9(case: Case, finds: Finds) -> None:
    finds(case)
