"""F2: an extension that cannot be run."""

import pytest

from tests.imagecheck.cases import EXTENSION, PROGRAM, SCRIPT, Case, extension
from tests.imagecheck.images import File
from tests.imagecheck.rules.conftest import Finds

CASES = (
    extension("f2-not-executable", "F2", File(EXTENSION, PROGRAM, 0o644)),
    extension("f2-no-interpreter", "F2", File(EXTENSION, SCRIPT, 0o755)),
    extension(
        "f2-windows-line-ends",
        "F2",
        File(EXTENSION, "#!/run\r\n", 0o755),
    ),
    extension("f2-no-shebang", "F2", File(EXTENSION, "exit 0\n", 0o755)),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_f2(case: Case, finds: Finds) -> None:
    finds(case)
