"""The record of the image that was built last: ``build/record.json``, beside the image itself."""

from pathlib import Path
from typing import Final

import msgspec

from config.json_file import DamagedFileError, read_json_file
from config.whole_file import write_whole
from imagecheck.errors import FailedError
from imagecheck.function import Architecture

BUILD: Final = Path("build")
"""Where `build` leaves what it makes, below the project's root."""
LAYOUT: Final = BUILD / "image"
"""The image, as an OCI layout."""
_RECORD: Final = BUILD / "record.json"


class BuildRecord(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """An image, and where it came from. ``built_at`` is ISO 8601 in UTC, to the second."""

    digest: str
    architecture: Architecture
    base_digest: str
    source_revision: str
    dirty: bool
    """Whether files of the work tree were not those of that revision."""
    built_at: str


def read_record(root: Path, stage: str) -> BuildRecord:
    """Return the record of the last build. ``stage`` is the one to build for where there is none.

    Raises:
        FailedError: nothing has been built, or the record cannot be read.

    """
    path = root / _RECORD
    try:
        return read_json_file(path, BuildRecord)
    except FileNotFoundError as error:
        raise FailedError("no image has been built here", hint=_build(stage)) from error
    except DamagedFileError as error:
        raise FailedError(f"{path} cannot be read: {error}", hint=_build(stage)) from error


def write_record(root: Path, record: BuildRecord) -> None:
    """Replace the record; a reader sees the old one or the new one.

    One process does so at a time, as it puts the image in its place.

    Raises:
        FailedError: it cannot be written.

    """
    path = root / _RECORD
    try:
        content = msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"
        write_whole(path, content, scratch=path.parent)
    except OSError as error:
        raise FailedError(f"{path} cannot be written: {error.strerror}") from error


def _build(stage: str) -> str:
    return f"python -m release build {stage}"
