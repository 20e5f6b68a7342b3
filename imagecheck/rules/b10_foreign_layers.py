"""A layer is stored elsewhere than in the registry."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import CREATE, INVALID_PARAMETER, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at the layers of the manifest."""
    manifest = subject.image.manifest
    for layer in manifest.layers or [] if manifest else []:
        if layer.is_layer_elsewhere:
            yield Problem(
                f"layer {layer.digest} ({layer.media_type}) is stored elsewhere than in the"
                " registry, where Lambda does not look"
            )


RULE = Rule(
    id="B10",
    title="Layers that are not in the registry",
    severity="error",
    error_type=INVALID_PARAMETER,
    when=CREATE,
    why=(
        "A manifest can name an address to fetch a layer from. Bases of Windows do so, because"
        " nobody may copy their layers. Lambda reads layers from the function's ECR repository"
        " only."
    ),
    fix="Build on a base whose layers can be pushed.",
    source="https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#non-distributable-layers",
    bad="""\
"layers": [{
  "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
  "urls": ["https://example.com/layer.tar.gz"], …
}]
""",
    good="""\
"layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", …}]
""",
    check=check,
)
