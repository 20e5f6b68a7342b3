"""G3: SnapStart that the image or the function does not allow."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    APP,
    INVALID_PARAMETER,
    NODE_HANDLER,
    RUN,
    Case,
    E,
    W,
    node,
    python,
    scratch,
)
from tests.support.imagecheck.images import File

SNAP_START = {"SnapStart": {"ApplyOn": "PublishedVersions"}}
LABEL = {"com.amazonaws.lambda.feature.snapstart": "Allow"}
INDEX = File("var/task/index.js", NODE_HANDLER)
PYTHON_3_12 = File("var/lang/bin/python3.12", "")

CASES = (
    Case(
        name="g3-node-without-the-label",
        make=node(INDEX),
        properties=SNAP_START,
        findings={"G3": E},
    ),
    Case(
        name="g3-own-program-without-the-label",
        make=scratch(RUN),
        properties=SNAP_START,
        findings={"G3": W},
    ),
    Case(
        name="g3-storage",
        make=python(APP, PYTHON_3_12),
        properties={**SNAP_START, "EphemeralStorage": {"Size": 1024}},
        findings={"G3": E},
        error_type=INVALID_PARAMETER,
    ),
    Case(name="g3-good-label", make=node(INDEX, labels=LABEL), properties=SNAP_START),
    Case(name="g3-good-python", make=python(APP, PYTHON_3_12), properties=SNAP_START),
    Case(
        name="g3-good-no-snapstart",
        make=node(INDEX),
        properties={"SnapStart": {"ApplyOn": "None"}, "EphemeralStorage": {"Size": 1024}},
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_g3(case: Case, finds: Finds) -> None:
    finds(case)
