"""The image lock: the file with the image that each stage runs.

A JSON object from stage to ``ImagePin``, committed next to the code that images are built from.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from config.settings import ConfigurationError
from imagecheck.errors import FailedError
from imagecheck.function import Architecture
from imagecheck.image.digest import WHOLE_DIGEST


class ImagePin(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """An image and its origin.

    ``digest`` is the image's (``constructs.image_digest`` checks it), ``base_digest`` that of the
    base in its Dockerfile, ``source_revision`` the commit that it was built from, and ``pinned_at``
    the time, in ISO 8601 and UTC, at which it was pinned for its stage. A rollback keeps that time,
    so that the times give the order of the releases.
    """

    digest: str
    architecture: Architecture
    base_digest: Annotated[str, Meta(pattern=WHOLE_DIGEST)]
    source_revision: str
    pinned_at: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]


def read_image_lock(path: Path) -> dict[str, ImagePin]:
    """Return the pin of every stage that has one.

    Raises:
        ConfigurationError: the file is missing or invalid.

    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, ImagePin])
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{path} is missing", hint=f"a lock file without pins: echo '{{}}' > {path}"
        ) from error
    except (msgspec.DecodeError, OSError) as error:
        raise ConfigurationError(f"{path}: {error}") from error


def write_pin(path: Path, stage: str, pin: ImagePin) -> None:
    """Pin an image for a stage, and keep the pins of other stages.

    Raises ConfigurationError when the file cannot be read, and FailedError when it cannot be
    written; it is unchanged then.
    """
    pins = read_image_lock(path)
    try:
        write_image_lock(path, {**pins, stage: pin})
    except OSError as error:
        raise FailedError(f"{path} cannot be written: {error.strerror}; it is unchanged") from error


def write_image_lock(path: Path, pins: Mapping[str, ImagePin]) -> None:
    """Replace the pins of all stages. Raises OSError; the file is unchanged then."""
    _replace(path, msgspec.json.format(msgspec.json.encode(pins), indent=2) + b"\n")


def restore_image_lock(path: Path, content: bytes) -> None:
    """Write back what the file held. Raises OSError; the file is unchanged then."""
    if path.read_bytes() != content:
        _replace(path, content)


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old one or the new one, never half of one."""
    temporary = path.with_suffix(".tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
