"""The template's digest of the image is malformed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image_uri import NamedBy, parse_image_uri
from imagecheck.rule import CREATE, INVALID_PARAMETER, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at the name in the template."""
    declared = subject.function.declared
    uri = parse_image_uri(declared.image_uri) if declared else None
    if not declared or not uri:
        return
    fix = f"name the image {uri.name}@{subject.image.digest or 'sha256:…'}"
    if uri.by is NamedBy.NO_DIGEST:
        yield Problem(
            f"{declared.logical_id} names {uri.version!r}, which Lambda reads as a tag: a digest is"
            " 'sha256:' and 64 lower-case hexadecimal digits",
            fix,
        )
    elif uri.by is NamedBy.UNKNOWN:
        yield Problem(
            f"{declared.logical_id} names {uri.version!r}, known only when it is deployed, so"
            " it may be another image than the one that was checked",
            fix,
            severity="warning",
        )


RULE = Rule(
    id="A8",
    title="The function's digest is malformed",
    severity="error",
    error_type=INVALID_PARAMETER,
    when=CREATE,
    why=(
        "A digest is `sha256:` and 64 lower-case hexadecimal digits, after an `@`. With a colon"
        " in place of the `@`, in upper case or cut short, Lambda reads it as a tag, and there"
        " is no such tag. A value that only CloudFormation fills in is a warning. The tags that"
        " CDK gives to its assets are accepted."
    ),
    fix="Write REPOSITORY@sha256: and the 64 digits that the push prints.",
    source="https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests",
    bad="""\
Code:
  ImageUri: 123456789012.dkr.ecr.us-east-1.amazonaws.com/rooms:sha256:2c26b46b…
""",
    good="""\
Code:
  ImageUri: 123456789012.dkr.ecr.us-east-1.amazonaws.com/rooms@sha256:2c26b46b…
""",
    check=check,
)
