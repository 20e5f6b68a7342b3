"""The only way to name an image here: the digest of its manifest."""

import re
from dataclasses import dataclass
from typing import Final

from aws_cdk import Token

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class ImageDigest:
    """The digest of an image manifest: ``sha256:`` and 64 lower-case hexadecimal digits.

    aws-cdk-lib takes any string where it wants a digest, and renders what does not start with
    ``sha256:`` as a tag. Tags move; so here nothing but a digest can be said.

    The grammar: https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests

    Raises:
        ValueError: the value is a tag, an upper-case, bare or short digest, or a token that has no
            value before deployment.

    """

    value: str

    def __post_init__(self) -> None:
        """Refuse what is not a digest."""
        if Token.is_unresolved(self.value):
            raise ValueError(
                "an image digest must be known at synth, but this one is a token, which"
                " CloudFormation would fill in later as if it were a tag"
            )
        if _DIGEST.fullmatch(self.value):
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
    if value != value.lower() and _DIGEST.fullmatch(value.lower()):
        return "has upper-case letters"
    if re.fullmatch(r"[0-9a-f]*", hexadecimal):
        return f"has {len(hexadecimal)} digits"
    return "has other characters"
