"""B10: layers that are not in the registry."""

from dataclasses import replace

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import (
    INVALID_PARAMETER,
    RUN,
    Case,
    E,
    built,
    damaged_layer,
    first_layer,
    then,
)
from tests.support.imagecheck.images import Layer, layer_of

_FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"


def _foreign_layer() -> Layer:
    return replace(
        layer_of(RUN), media_type=_FOREIGN_LAYER, urls=("https://example.invalid/layer.tar.gz",)
    )


CASES = (
    Case(
        name="b10-layer-with-urls",
        make=damaged_layer(urls=("https://example.invalid/layer.tar.gz",)),
        findings={"B10": E},
        error_type=INVALID_PARAMETER,
    ),
    Case(
        name="b10-foreign-layer",
        make=then(built(lambda: [_foreign_layer()]), lambda image: first_layer(image).unlink()),
        findings={"B10": E},
        error_type=INVALID_PARAMETER,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_b10(case: Case, finds: Finds) -> None:
    finds(case)
