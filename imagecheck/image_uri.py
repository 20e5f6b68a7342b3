"""``Code.ImageUri`` of a template: the repository, and how the URI picks an image of it."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from imagecheck.image.digest import is_digest
from imagecheck.image.private_ecr import HOST_IN_TEMPLATE

_PRIVATE_ECR = re.compile(
    HOST_IN_TEMPLATE + r"/(?P<name>(?:[^@:$]|\$\{[^}]+\})+)(?P<version>[@:].*)?"
)
_LOOKS_LIKE_A_DIGEST = re.compile(r":(?:sha256[:-])?[0-9a-f]{64}|:sha256:.*", re.IGNORECASE)
# CDK names an asset by the hash of what it is built from, so such a tag never moves.
# https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-customizing.html
_ASSET = re.compile(r"(?:.*-)?container-assets-.*")
_ASSET_TAG = re.compile(r":[\w.-]*[0-9a-f]{64}")


class NamedBy(Enum):
    """What a name picks one image of the repository by."""

    DIGEST = auto()
    ASSET_HASH = auto()
    TAG = auto()
    UNKNOWN = auto()
    """Only CloudFormation knows."""
    NO_DIGEST = auto()
    """Something that was meant to be a digest, and is none."""


@dataclass(frozen=True)
class ImageUri:
    """An image of a private ECR repository."""

    name: str
    """Of the repository."""
    version: str
    """The tag or the digest, without the character before it; empty where there is none."""
    by: NamedBy


def parse_image_uri(text: str) -> ImageUri | None:
    """Take a name apart; None where it is not of a known private ECR repository."""
    match = _PRIVATE_ECR.fullmatch(text)
    if match is None:
        return None
    version = match["version"] or ""
    return ImageUri(match["name"], version[1:], _named_by(match["name"], version))


def is_known_when_deployed(text: str) -> bool:
    """Whether the name of the repository itself is what only CloudFormation knows."""
    return text.startswith("${") and ".dkr.ecr." not in text


def _named_by(name: str, version: str) -> NamedBy:
    if version.startswith("@") and is_digest(version[1:]):
        return NamedBy.DIGEST
    if "${" in version:
        return NamedBy.UNKNOWN
    if _ASSET.fullmatch(name) and _ASSET_TAG.fullmatch(version):
        return NamedBy.ASSET_HASH
    if version.startswith("@") or _LOOKS_LIKE_A_DIGEST.fullmatch(version):
        return NamedBy.NO_DIGEST
    return NamedBy.TAG
