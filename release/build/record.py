"""The record of the image that was built last: ``build/record.json``, beside the image itself.

It is how one gate knows what the gates before it found. It belongs to one digest: another build
starts another record.
"""

from pathlib import Path
from typing import Final

import msgspec

from imagecheck.errors import FailedError
from imagecheck.function import Architecture
from release.errors import RefusedError

BUILD: Final = Path("build")
"""Where `build` leaves what it makes, below the project's root."""
LAYOUT: Final = BUILD / "image"
"""The image, as an OCI layout."""
_RECORD: Final = BUILD / "record.json"

_GATES: Final = {"check": "check oci:{layout} --stage {stage}", "boot": "boot {stage}"}


class BuildRecord(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """An image, where it came from, and which gates it has passed.

    Times are ISO 8601 in UTC, to the second; None: not passed.
    """

    digest: str
    architecture: Architecture
    base_digest: str
    source_revision: str
    dirty: bool
    """Whether files of the work tree were not those of that revision."""
    built_at: str
    checked_at: str | None = None
    booted_at: str | None = None


def read_record(root: Path, stage: str) -> BuildRecord:
    """Return the record of the last build. ``stage`` is the one to build for where there is none.

    Raises:
        FailedError: nothing has been built, or the record cannot be read.

    """
    path = root / _RECORD
    try:
        return msgspec.json.decode(path.read_bytes(), type=BuildRecord)
    except FileNotFoundError as error:
        raise FailedError("no image has been built here", hint=_build(stage)) from error
    except (OSError, msgspec.DecodeError) as error:
        raise FailedError(f"{path} cannot be read: {error}", hint=_build(stage)) from error


def write_record(root: Path, record: BuildRecord) -> None:
    """Replace the record; a reader sees the old one or the new one.

    Raises:
        FailedError: it cannot be written.

    """
    path = root / _RECORD
    try:
        path.parent.mkdir(exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
        temporary.replace(path)
    except OSError as error:
        raise FailedError(f"{path} cannot be written: {error.strerror}") from error


def note_passed(root: Path, digest: str | None, architecture: str, gate: str, at: str) -> bool:
    """Note that an image has passed ``check`` or ``boot``, for a function of this architecture.

    Only of the image that was built last; False: this is another one.
    """
    try:
        record = read_record(root, "")
    except FailedError:
        return False
    if (record.digest, record.architecture) != (digest, architecture):
        return False
    field = {"check": "checked_at", "boot": "booted_at"}[gate]
    write_record(root, msgspec.structs.replace(record, **{field: at}))
    return True


def require_gates(
    record: BuildRecord, stage: str, *, skip_check: bool, skip_boot: bool, may_skip: bool = True
) -> list[str]:
    """Require that the gates were passed, and return the names of those that are skipped.

    ``may_skip``: whether the command that asks has the options ``--skip-check`` and
    ``--skip-boot``.

    Raises:
        RefusedError: one was not passed, and is not to be skipped.

    """
    skipped = []
    for gate, passed_at, skip in (
        ("check", record.checked_at, skip_check),
        ("boot", record.booted_at, skip_boot),
    ):
        if passed_at:
            continue
        if not skip:
            command = _GATES[gate].format(layout=LAYOUT, stage=stage)
            raise RefusedError(
                f"{record.digest} has not passed `{gate}`",
                hint=f"python -m release {command}"
                + (f" (or, if you must, add --skip-{gate})" if may_skip else ""),
            )
        skipped.append(gate)
    return skipped


def _build(stage: str) -> str:
    return f"python -m release build {stage}"
