"""C8: a script without a shebang."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import SCRIPT, Case, bad_start, run, scratch, shell
from tests.support.imagecheck.images import File

CASES = (
    bad_start("c8-no-shebang", "C8", shell(File("run", "exit 0\n", 0o755), entrypoint=["/run"])),
    bad_start(
        "c8-byte-order-mark",
        "C8",
        shell(File("run", b"\xef\xbb\xbf" + SCRIPT.encode(), 0o755), entrypoint=["/run"]),
    ),
    bad_start("c8-empty", "C8", scratch(run(""))),
    bad_start("c8-empty-shebang", "C8", scratch(run("#!\n"))),
    bad_start("c8-two-bytes", "C8", scratch(run("#!"))),
    bad_start("c8-overlong-shebang", "C8", scratch(run(f"#!/{'x' * 300}\n"))),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c8(case: Case, finds: Finds) -> None:
    finds(case)
