"""B8: not an image but another artifact."""

import pytest

from imagecheck.image.manifest import digest_of
from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import INVALID_PARAMETER, RUN, Case, E, rewritten, scratch, then
from tests.support.imagecheck.images import Image

_SIGNATURE = {
    "config": {
        "mediaType": "application/vnd.dev.cosign.artifact.sig.v1+json",
        "digest": digest_of(b"{}"),
        "size": 2,
    },
    "artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json",
}


def _write_empty_document(image: Image) -> None:
    image.blob(digest_of(b"{}")).write_bytes(b"{}")


CASES = (
    Case(
        name="b8-signature",
        make=then(scratch(RUN, manifest_changes=_SIGNATURE), _write_empty_document),
        findings={"B8": E},
        error_type=INVALID_PARAMETER,
    ),
    Case(
        name="b8-no-manifest",
        make=lambda folder: rewritten(scratch(RUN)(folder), b'["neither image nor index"]'),
        findings={"B8": E},
        error_type=INVALID_PARAMETER,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_b8(case: Case, finds: Finds) -> None:
    finds(case)
