"""What is deployed need not be what was checked."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image.reference import DIGEST, RegistryReference
from imagecheck.rule import BUILD, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Hold the digest that was checked against the template's."""
    image, declared = subject.image, subject.function.declared
    reference = image.reference
    is_pushed = isinstance(reference, RegistryReference)
    if isinstance(reference, RegistryReference) and reference.digest is None:
        yield Problem(
            f"{reference} is a tag, and can move between this check and the deployment",
            f"check and deploy it by digest: {image.digest or 'sha256:…'}",
            severity="warning",
        )
    match = DIGEST.search(declared.image_uri) if declared else None
    if declared and match and image.digest and match[0] != image.digest:
        # A push may compress again what lies here, and then the digest is another.
        yield Problem(
            f"{declared.logical_id} runs {match[0]}, and what was checked is {image.digest}",
            severity="error" if is_pushed else "warning",
        )


RULE = Rule(
    id="H4",
    title="Not the image that was checked is deployed",
    severity="error",
    error_type="",
    when=BUILD,
    why=(
        "A check says something of one image, and of no other. Where the template names"
        " another digest, it is the other image that runs. A tag can move between check and"
        " deployment. Files of an image that is not pushed yet are a warning only: a push may"
        " compress the layers again, which gives another digest."
    ),
    fix="Check the image that the template names, or pin the one that was checked.",
    source="https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html",
    bad="""\
$ lambda-image-check docker://…/rooms@sha256:2c26b46b… --template template.json
ImageUri: …/rooms@sha256:fcde2b2e…
""",
    good="""\
$ lambda-image-check docker://…/rooms@sha256:2c26b46b… --template template.json
ImageUri: …/rooms@sha256:2c26b46b…
""",
    check=check,
)
