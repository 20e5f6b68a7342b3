"""A8: the function's digest is none."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    INVALID_PARAMETER,
    REPOSITORY_URI,
    RUN,
    Case,
    E,
    W,
    scratch,
)

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
        }.items()
    ),
    Case(
        name="a8-parameter",
        make=scratch(RUN),
        properties={},
        image_uri=f"{REPOSITORY_URI}:${{{{Tag}}}}",
        findings={"A8": W},
    ),
    Case(
        name="a8-good-asset-of-cdk",
        make=scratch(RUN),
        properties={},
        image_uri=(
            "${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}"
            "/cdk-hnb659fds-container-assets-${{AWS::AccountId}}-${{AWS::Region}}:" + "a" * 64
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a8(case: Case, finds: Finds) -> None:
    finds(case)
