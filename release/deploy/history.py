"""The releases of a stage, one after the other: the versions of an SSM parameter.

The stack writes it last, so only what was deployed to the end is in it. SSM keeps the last hundred:
https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-versions.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

import msgspec

from config.image_lock import ImagePin
from config.project import Stage
from imagecheck.image.aws import aws_errors
from imagecheck.terminal import say
from release.deploy.live import Packaging


class _Value(msgspec.Struct, frozen=True):
    packaging: Packaging
    pin: ImagePin | None = None


@dataclass(frozen=True)
class Release:
    """What the stack ran. ``version`` is that of the parameter; ``pin`` is None for a zip."""

    version: int
    written_at: str
    pin: ImagePin | None

    @property
    def packaging(self) -> Packaging:
        """How the code was packaged."""
        return "image" if self.pin else "zip"


def read_history(stage: Stage) -> list[Release]:
    """Return the releases of a stage, the oldest first; none where it was never deployed.

    What is in the parameter and is no release of ours is said, and left out. Raises FailedError
    when AWS cannot be asked.
    """
    name = stage.names.release_parameter
    ssm = stage.client("ssm")
    with aws_errors(f"the SSM parameter {name}"):
        try:
            pages = ssm.get_paginator("get_parameter_history").paginate(Name=name)
            versions = [one for page in pages for one in page["Parameters"]]
        except ssm.exceptions.ParameterNotFound:
            return []
    releases = []
    for one in sorted(versions, key=lambda one: int(one["Version"])):
        try:
            pin = read_release(one["Value"])
        except msgspec.DecodeError as error:
            say(f"version {one['Version']} of {name} is no release, and left out: {error}")
            continue
        written_at = one["LastModifiedDate"].astimezone(UTC).isoformat(timespec="seconds")
        releases.append(Release(one["Version"], written_at.replace("+00:00", "Z"), pin))
    return releases


def read_release(value: str) -> ImagePin | None:
    """Read what the parameter says: the pin of an image; None for a zip.

    Raises ``msgspec.DecodeError`` when it says something else.
    """
    release = msgspec.json.decode(value, type=_Value)
    if (release.packaging == "image") != bool(release.pin):
        raise msgspec.ValidationError("an image has a pin, and a zip has none")
    return release.pin


def pin_of(history: Sequence[Release], digest: str) -> ImagePin | None:
    """Return the newest pin of an image; None when it is not in the history."""
    pins = [release.pin for release in history if release.pin and release.pin.digest == digest]
    return max(pins, key=lambda pin: pin.pinned_at, default=None)


def previous(history: Sequence[Release], current: ImagePin | None) -> ImagePin | None:
    """Return what to go back to; None when there is nothing before ``current``.

    It is the image that ran last of those pinned before it. Going back to an image keeps the time
    at which it was pinned, so going back again goes further back; and what was left by going back
    is not come back to later. While a zip is live (``current`` is None) it is the image that ran
    last.
    """
    pins = [release.pin for release in history if release.pin]
    if current is None:
        return pins[-1] if pins else None
    earlier = [
        pin for pin in pins if pin.pinned_at < current.pinned_at and pin.digest != current.digest
    ]
    return earlier[-1] if earlier else None
