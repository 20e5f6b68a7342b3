"""The lock file: which image each stage runs.

A JSON object from stage to ``ImagePin``, committed next to the code that images are built from.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from stacks.settings import Architecture, ConfigurationError


class ImagePin(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """An image and where it came from.

    ``digest`` is the image's (what makes one is ``constructs.image_digest``'s to say),
    ``base_digest`` that of the base in its Dockerfile, ``source_revision`` the commit that it was
    built from, and ``pinned_at`` the time, in ISO 8601 and UTC, at which it was pinned for its
    stage. Going back to an image keeps that time, so that the times order what was released.
    """

    digest: str
    architecture: Architecture
    base_digest: Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$")]
    source_revision: str
    pinned_at: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


def read_image_lock(path: Path) -> dict[str, ImagePin]:
    """Return the pin of every stage that has one.

    Raises:
        ConfigurationError: the file is missing or not of its form.

    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, ImagePin])
    except FileNotFoundError:
        raise ConfigurationError(f"{path} is missing; '{{}}' is a lock file without pins") from None
    except (msgspec.DecodeError, OSError) as error:
        raise ConfigurationError(f"{path}: {error}") from error


def write_image_lock(path: Path, pins: Mapping[str, ImagePin]) -> None:
    """Replace the lock file; a reader sees the old one or the new one, never half of one."""
    temporary = path.with_suffix(".tmp")
    try:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(pins), indent=2) + b"\n")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
