"""A8: the function's digest is none."""

import pytest

from tests.imagecheck.cases import INVALID_PARAMETER, REPOSITORY_URI, RUN, Case, E, scratch
from tests.imagecheck.rules.conftest import Finds

CASES = (
    *(
        Case(
            name=f"a8-{name}",
            make=scratch(RUN),
            properties={},
            image_uri=f"{REPOSITORY_URI}{version}",
            findings={"A8": E},
            error_type=INVALID_PARAMETER,
        )
        for name, version in {
            "short-digest": "@sha256:abc",
            "upper-case": f":SHA256:{'A' * 64}",
            "digest-as-a-tag": f":{'a' * 64}",
            "parameter": ":${{Digest}}",
        }.items()
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a8(case: Case, finds: Finds) -> None:
    finds(case)
