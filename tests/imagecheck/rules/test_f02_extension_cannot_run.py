"""F2: an extension that cannot be run."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    EXTENSION,
    PROGRAM,
    RUN,
    SCRIPT,
    Case,
    E,
    W,
    extension,
    scratch,
)
from tests.support.imagecheck.images import File
from tests.support.imagecheck.programs import program_without

DATADOG = "opt/extensions/datadog-agent"

CASES = (
    extension("f2-not-executable", "F2", File(EXTENSION, PROGRAM, 0o644)),
    extension("f2-no-interpreter", "F2", File(EXTENSION, SCRIPT, 0o755)),
    extension(
        "f2-windows-line-ends",
        "F2",
        File(EXTENSION, "#!/run\r\n", 0o755),
    ),
    extension("f2-no-shebang", "F2", File(EXTENSION, "exit 0\n", 0o755)),
    Case(
        name="f2-library-missing",
        make=scratch(RUN, *program_without(EXTENSION, "libm.so.6")),
        findings={"F2": E},
        error_type="Extension.Crash",
        extension=EXTENSION,
        is_started=True,
    ),
    Case(
        name="f2-second-program-not-copied",
        make=scratch(RUN, File(DATADOG, PROGRAM + b"/opt/datadog-agent-go\0", 0o755)),
        findings={"F2": W},
    ),
    Case(
        name="f2-good-libraries",
        make=scratch(RUN, *program_without(EXTENSION)),
        extension=EXTENSION,
    ),
    Case(
        name="f2-good-second-program",
        make=scratch(
            RUN,
            File(DATADOG, PROGRAM + b"/opt/datadog-agent-go\0", 0o755),
            File("opt/datadog-agent-go", PROGRAM, 0o755),
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_f2(case: Case, finds: Finds) -> None:
    finds(case)
