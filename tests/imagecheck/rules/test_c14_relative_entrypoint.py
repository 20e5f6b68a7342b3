"""C14: the entrypoint is not an absolute path."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import PROGRAM, RUN, Case, W, scratch
from tests.support.imagecheck.images import File

_ON_INSTANCES = {
    "CapacityProviderConfig": {
        "LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": "arn:aws:lambda"}
    }
}
_BARE = scratch(File("usr/bin/run", PROGRAM, 0o755), entrypoint=["run"], env={"PATH": "/usr/bin"})

CASES = (
    Case(name="c14-good-bare-name", make=_BARE, is_started=True),
    Case(
        name="c14-bare-name-on-managed-instances",
        make=_BARE,
        properties=_ON_INSTANCES,
        findings={"C14": W},
        is_started=True,
    ),
    Case(
        name="c14-good-absolute-on-managed-instances",
        make=scratch(RUN),
        properties=_ON_INSTANCES,
    ),
    Case(
        name="c14-bare-name-without-path",
        make=scratch(File("usr/bin/run", PROGRAM, 0o755), entrypoint=["run"]),
        findings={"C14": W},
        is_started=True,
    ),
    Case(
        name="c14-from-the-working-directory",
        make=scratch(
            File("var/task/run", PROGRAM, 0o755), entrypoint=["./run"], workdir="/var/task"
        ),
        findings={"C14": W},
        is_started=True,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_c14(case: Case, finds: Finds) -> None:
    finds(case)
