"""F1: an extension of another CPU."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import EXTENSION, FOREIGN, Case, extension
from tests.support.imagecheck.images import File

CASES = (extension("f1-other-cpu", "F1", File(EXTENSION, FOREIGN, 0o755)),)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_f1(case: Case, finds: Finds) -> None:
    finds(case)
