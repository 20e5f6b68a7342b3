"""The image is of no private ECR repository."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image.reference import RegistryReference
from imagecheck.image_uri import is_known_when_deployed, parse_image_uri
from imagecheck.rule import CREATE, INVALID_PARAMETER, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_ONLY = "Lambda takes images only from private ECR repositories of its own Region"


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at the name in the template, and at the one that was given."""
    declared = subject.function.declared
    if (
        declared
        and not is_known_when_deployed(declared.image_uri)
        and parse_image_uri(declared.image_uri) is None
    ):
        name = declared.image_uri or "no image"
        yield Problem(f"{declared.logical_id} names {name}; {_ONLY}")
    reference = subject.image.reference
    if isinstance(reference, RegistryReference) and not (
        reference.private_ecr or reference.is_loopback
    ):
        yield Problem(f"the image is in {reference.host}; {_ONLY}", severity="warning")


RULE = Rule(
    id="A2",
    title="The image is not in a private ECR repository",
    severity="error",
    error_type=INVALID_PARAMETER,
    when=CREATE,
    why=(
        "Lambda pulls images from private repositories of Amazon ECR in the function's own"
        " Region, and from nowhere else: not from Docker Hub, GitHub or ECR Public, where AWS's"
        " own base images are."
    ),
    fix="Push the image to the function's ECR repository, and name it there by digest.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/images-create.html",
    bad="""\
PackageType: Image
Code:
  ImageUri: public.ecr.aws/lambda/nodejs:22
""",
    good="""\
PackageType: Image
Code:
  ImageUri: 123456789012.dkr.ecr.us-east-1.amazonaws.com/rooms@sha256:…
""",
    check=check,
)
