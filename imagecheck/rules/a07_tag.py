"""The template names the image by a tag."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image_uri import NamedBy, parse_image_uri
from imagecheck.rule import BUILD, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_MOVES = ("", "latest")


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at the name in the template; only ``latest`` is known to move."""
    declared = subject.function.declared
    uri = parse_image_uri(declared.image_uri) if declared else None
    if declared and uri and uri.by is NamedBy.TAG:
        yield Problem(
            f"{declared.logical_id} names the tag {uri.version or 'latest'!r}: when the tag moves,"
            " the template does not change, so nothing is deployed, and no version can be told"
            " from another",
            f"name the image {uri.name}@{subject.image.digest or 'sha256:…'}",
            severity="error" if uri.version in _MOVES else "warning",
        )


RULE = Rule(
    id="A7",
    title="The function names a tag",
    severity="error",
    error_type="",
    when=BUILD,
    why=(
        "Lambda looks up a tag once, when the function is created or updated, and keeps the"
        " image that it found. A template that names the tag `latest` stays the same when the"
        " tag moves, so CloudFormation changes nothing and the new image is not deployed. Any"
        " other tag is a warning: it works as long as no tag is used twice."
    ),
    fix="Name the image by digest, or give each build a tag of its own.",
    source="https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html",
    bad="""\
Code:
  ImageUri: 123456789012.dkr.ecr.us-east-1.amazonaws.com/rooms:latest
""",
    good="""\
Code:
  ImageUri: 123456789012.dkr.ecr.us-east-1.amazonaws.com/rooms@sha256:…
""",
    check=check,
)
