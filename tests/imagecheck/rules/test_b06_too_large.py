"""B6: too large."""

import random

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import RUN, Case, E, built
from tests.support.imagecheck.images import File, Layer, layer_of


def _eighty_mib() -> Layer:
    """Return a layer that is not quite a decompression bomb."""
    noise = random.Random(0).randbytes(512 * 1024)
    return layer_of(File("zeros", bytes(80 * 1024**2)), File("noise", noise))


CASES = (
    Case(
        # One small blob, named so often that all of them are 10.2 GiB.
        name="b6-too-large",
        make=built(lambda: [layer_of(RUN), *[_eighty_mib()] * 130]),
        findings={"B6": E},
        error_type="InvalidImage",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_b6(case: Case, finds: Finds) -> None:
    finds(case)
