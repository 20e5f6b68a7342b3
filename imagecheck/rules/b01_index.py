"""An index stands where one image should."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.build_commands import one_manifest
from imagecheck.rule import CREATE, INVALID_PARAMETER, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at what the reference names; B2 has the indexes that attestations make."""
    root = subject.image.root
    if not root or not root.is_index:
        return
    images = root.manifests or []
    if any(child.is_attestation for child in images):
        return
    architecture = subject.function.image_architecture
    listed = ", ".join(child.intended_for for child in images) or "nothing"
    fitting = [child.digest for child in images if child.architecture == architecture]
    pin = f"pin the child for {architecture}, {fitting[0]}, or " if len(fitting) == 1 else ""
    yield Problem(
        f"{subject.image.root_media_type} of {listed}: Lambda accepts one manifest, not an index,"
        " not even one of a single image",
        f"{pin}build for one platform: {one_manifest(architecture)}",
    )


RULE = Rule(
    id="B1",
    title="An index in place of an image",
    severity="error",
    error_type=INVALID_PARAMETER,
    when=CREATE,
    why=(
        "An index (Docker calls it a manifest list) names one image for each CPU. Docker picks"
        " the one that fits. Lambda does not: it refuses every index, even one with a single"
        " image."
    ),
    fix="Build for one platform, or name the child for the function's CPU by its digest.",
    source="https://github.com/aws/aws-lambda-roadmap/issues/82",
    bad="""\
$ docker buildx build --platform linux/amd64,linux/arm64 --push -t …/rooms:7 .
""",
    good="""\
$ docker buildx build --platform linux/arm64 --provenance=false --push -t …/rooms:7 .
""",
    check=check,
)
