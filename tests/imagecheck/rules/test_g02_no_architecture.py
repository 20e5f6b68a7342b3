"""G2: no architecture in the template."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import Case, W, run, scratch
from tests.support.imagecheck.programs import X86_64, tiny_elf

CASES = (
    Case(
        name="g2-no-architecture",
        make=scratch(run(tiny_elf(machine=X86_64)), architecture="amd64"),
        properties={"Architectures": None},
        findings={"G2": W},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_g2(case: Case, finds: Finds) -> None:
    finds(case)
