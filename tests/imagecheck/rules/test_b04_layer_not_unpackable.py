"""B4: a layer that cannot be unpacked."""

from dataclasses import replace

import pytest

from imagecheck.image.manifest import digest_of
from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import RUN, Case, E, W, built, damaged_layer, scratch
from tests.support.imagecheck.images import File, HardLink, Layer, layer_from_tar, layer_of


def _cut(layer: Layer, end: int) -> Layer:
    blob = layer.blob[:end]
    return replace(layer, blob=blob, digest=digest_of(blob), size=len(blob))


CASES = (
    *(
        Case(name=f"b4-{name}", make=make, findings={"B4": E}, error_type="InvalidImage")
        for name, make in {
            "wrong-diff-id": damaged_layer(diff_id=digest_of(b"")),
            "plain-tar": built(lambda: [layer_of(RUN, compression="none")]),
            "plain-tar-called-gzip": built(
                lambda: [
                    replace(layer_of(RUN, compression="none"), media_type=layer_of(RUN).media_type)
                ]
            ),
            "gzip-called-tar": damaged_layer(media_type="application/vnd.oci.image.layer.v1.tar"),
            "no-tar-in-the-gzip": built(lambda: [layer_from_tar(b"rooms" * 1000)]),
            "tar-cut-off": built(
                lambda: [layer_from_tar(layer_of(RUN, compression="none").blob[:600])]
            ),
            "gzip-cut-off": built(lambda: [_cut(layer_of(RUN), -20)]),
            "hard-link-to-nothing": scratch(RUN, HardLink("app", "nowhere")),
            "file-below-a-file": built(
                lambda: [layer_of(RUN, File("a", ""), File("a/b", ""), parents=False)]
            ),
            "too-few-diff-ids": scratch(
                RUN, config_changes={"rootfs": {"type": "layers", "diff_ids": []}}
            ),
        }.items()
    ),
    Case(
        name="b4-history-of-other-layers",
        make=scratch(RUN, config_changes={"history": [{"created_by": "a"}, {"created_by": "b"}]}),
        findings={"B4": W},
        is_started=True,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_b4(case: Case, finds: Finds) -> None:
    finds(case)
