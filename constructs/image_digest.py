"""The digest of an image manifest, by which stacks name an image."""

import re
from dataclasses import dataclass

from aws_cdk import Token

from imagecheck.image.digest import is_digest


@dataclass(frozen=True)
class ImageDigest:
    """The digest of an image manifest: ``sha256:`` and 64 lower-case hexadecimal digits.

    aws-cdk-lib accepts any string as a digest, and renders one without ``sha256:`` as a tag. Tags
    move, so this type accepts only digests.

    Raises:
        ValueError: the value is a tag, an upper-case, bare or short digest, or a token that has no
            value before deployment.

    """

    value: str

    def __post_init__(self) -> None:
        """Check the value."""
        if Token.is_unresolved(self.value):
            raise ValueError(
                "an image digest must be known at synth, but this one is a token, which"
                " CloudFormation would fill in later as if it were a tag"
            )
        if is_digest(self.value):
            return
        raise ValueError(
            f"an image digest looks like 'sha256:' and 64 hexadecimal digits,"
            f" but {self.value!r} {_fault(self.value)}"
        )


def _fault(value: str) -> str:
    algorithm, colon, hexadecimal = value.partition(":")
    if re.fullmatch(r"[0-9a-fA-F]{64}", value):
        return "lacks the 'sha256:'"
    if not colon or algorithm.lower() != "sha256":
        return "is a tag or another kind of reference"
    if value != value.lower() and is_digest(value.lower()):
        return "has upper-case letters"
    if re.fullmatch(r"[0-9a-f]*", hexadecimal):
        return f"has {len(hexadecimal)} digits"
    return "has other characters"
