"""The reference names something that is not an image."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image.image import FaultKind
from imagecheck.rule import CREATE, INVALID_PARAMETER, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at manifest and configuration."""
    manifest = subject.image.manifest
    if manifest and manifest.is_artifact and not subject.image.compressed_on_push:
        config = manifest.config.media_type if manifest.config else "none"
        kind = manifest.artifact_type or f"configuration {config}"
        yield Problem(f"the digest is of another artifact: {kind}")
        return
    for fault in subject.image.faults:
        if fault.kind is FaultKind.DOCUMENT:
            yield Problem(f"{fault.text}, so the digest is not of an image")


RULE = Rule(
    id="B8",
    title="The reference names an artifact, not an image",
    severity="error",
    error_type=INVALID_PARAMETER,
    when=CREATE,
    why=(
        "A repository holds more than images: signatures, SBOMs, attestations and charts lie"
        " beside them, each with a digest of its own. Lambda refuses them."
    ),
    fix="Use the digest of the image itself, not of its signature, SBOM or attestation.",
    source="https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidelines-for-artifact-usage",
    bad="""\
$ cosign triangulate …/rooms@sha256:…       # names the signature
""",
    good="""\
$ skopeo inspect --format '{{.Digest}}' docker://…/rooms:7
""",
    check=check,
)
