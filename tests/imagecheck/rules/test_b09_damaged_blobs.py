"""B9: missing or damaged blobs."""

import json
from pathlib import Path

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    INVALID_PARAMETER,
    RUN,
    Case,
    E,
    first_layer,
    scratch,
    then,
)
from tests.support.imagecheck.images import File, Image


def _config(image: Image) -> Path:
    manifest = json.loads(image.blob(image.digest).read_bytes())
    return image.blob(manifest["config"]["digest"])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


CASES = (
    *(
        Case(
            name=f"b9-{name}",
            make=then(make, damage),
            findings={"B9": E},
            error_type=INVALID_PARAMETER,
        )
        for name, make, damage in (
            ("layer-missing", scratch(RUN), lambda image: first_layer(image).unlink()),
            ("config-missing", scratch(RUN), lambda image: _config(image).unlink()),
            # What was read under a digest is not read again, so these two have layers of their own.
            (
                "layer-damaged",
                scratch(RUN, File("damaged", "")),
                lambda image: _flip(first_layer(image)),
            ),
            (
                "layer-cut-off",
                scratch(RUN, File("cut-off", "")),
                lambda image: first_layer(image).write_bytes(b"\x1f\x8b"),
            ),
            ("config-damaged", scratch(RUN), lambda image: _flip(_config(image))),
            ("manifest-damaged", scratch(RUN), lambda image: _flip(image.blob(image.digest))),
        )
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_b9(case: Case, finds: Finds) -> None:
    finds(case)
