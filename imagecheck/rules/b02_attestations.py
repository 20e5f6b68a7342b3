"""Attestations beside the image make it an index."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.build_commands import one_manifest
from imagecheck.rule import CREATE, INVALID_PARAMETER, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look for attestations in what the reference names."""
    root = subject.image.root
    children = (root.manifests or []) if root and root.is_index else []
    attestations = [child for child in children if child.is_attestation]
    if attestations:
        images = [child.intended_for for child in children if not child.is_attestation]
        yield Problem(
            f"{subject.image.root_media_type} with {len(attestations)} attestation(s) beside the"
            f" image ({', '.join(images) or 'nothing'}): Lambda accepts one manifest, not an index",
            f"build without attestations: {one_manifest(subject.function.image_architecture)}",
        )


RULE = Rule(
    id="B2",
    title="An image with attestations",
    severity="error",
    error_type=INVALID_PARAMETER,
    when=CREATE,
    why=(
        "BuildKit (`docker buildx build`, and `docker build` today) writes an attestation"
        " beside each image: how it was built. The two together are an index, and Lambda refuses"
        " an index: it reports that the media type of manifest, config or layer is not"
        " supported. The image itself may be right."
    ),
    fix=("Build with --provenance=false --sbom=false, or set BUILDX_NO_DEFAULT_ATTESTATIONS=1."),
    source="https://github.com/docker/buildx/issues/1533",
    bad="""\
$ docker buildx build --platform linux/arm64 --push -t …/rooms:7 .
""",
    good="""\
$ docker buildx build --platform linux/arm64 --provenance=false --sbom=false --push -t …/rooms:7 .
""",
    check=check,
)
