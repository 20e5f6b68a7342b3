"""B5: layers compressed with zstd."""

from dataclasses import replace

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import INVALID_PARAMETER, RUN, Case, E, built
from tests.support.imagecheck.images import layer_of

CASES = (
    Case(
        name="b5-zstd",
        make=built(lambda: [layer_of(RUN, compression="zstd")]),
        findings={"B5": E},
        error_type=INVALID_PARAMETER,
    ),
    Case(
        name="b5-zstd-called-gzip",
        make=built(
            lambda: [replace(layer_of(RUN, compression="zstd"), media_type=layer_of().media_type)]
        ),
        findings={"B5": E},
        error_type=INVALID_PARAMETER,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_b5(case: Case, finds: Finds) -> None:
    finds(case)
