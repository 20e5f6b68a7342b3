"""Another image is deployed than the one that was checked."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image.digest import find_digest
from imagecheck.image.reference import RegistryReference
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
    runs = find_digest(declared.image_uri) if declared else None
    if declared and runs and image.digest and runs != image.digest:
        # A push may compress again what lies here, and then the digest is another.
        yield Problem(
            f"{declared.logical_id} runs {runs}, but {image.digest} was checked",
            severity="error" if is_pushed else "warning",
        )


RULE = Rule(
    id="H4",
    title="Another image is deployed than was checked",
    severity="error",
    error_type="",
    when=BUILD,
    why=(
        "A check is about one image only. If the template names another digest, the other image"
        " runs. A tag can move between check and deployment. For an image that is not pushed yet"
        " this is a warning: a push may compress the layers again, which gives another digest."
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
