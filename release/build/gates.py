"""Which gates an image has passed: ``build/gates.json``, by digest.

A rebuild that gives the same digest keeps them, and so does a return to an older image.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from config.file_lock import waiting_for_lock
from config.json_file import DamagedFileError, read_json_file
from config.whole_file import write_whole
from imagecheck.errors import FailedError
from imagecheck.function import Architecture
from release.build.record import BUILD, LAYOUT, BuildRecord, read_record
from release.errors import RefusedError

Gate = Literal["check", "boot"]

_FILE: Final = BUILD / "gates.json"
_MOST_KEPT: Final = 50
_COMMANDS: Final[Mapping[Gate, str]] = {
    "check": "check oci:{layout} --stage {stage}",
    "boot": "boot {stage}",
}


class Passed(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """That an image has passed a gate. ``at`` is ISO 8601 in UTC, to the second.

    ``function`` stands for what the template says of the function that it was tested as: see
    ``CloudAssembly.function_key``. None: the gate was asked without a template.
    """

    at: str
    architecture: Architecture
    function: str | None = None


def passed_gates(root: Path, digest: str, architecture: Architecture) -> Mapping[Gate, Passed]:
    """Return which gates an image has passed for functions of a CPU. Raises FailedError."""
    gates = _read(root).get(digest, {})
    return {gate: passed for gate, passed in gates.items() if passed.architecture == architecture}


def note_gate(
    root: Path, digest: str | None, architecture: str, gate: Gate, passed: Passed | None
) -> bool:
    """Note the result of a gate: the last one counts. ``passed`` is None where it said no.

    It is noted of the image that was built last; False: this is another one, or it was tested for
    another CPU. Raises FailedError when it cannot be written.
    """
    try:
        record = read_record(root, "")
    except FailedError:
        return False
    if digest is None or (record.digest, record.architecture) != (digest, architecture):
        return False
    path = root / _FILE
    with waiting_for_lock(
        path.with_name(f"{path.name}.lock"), f"another release command that changes {_FILE}"
    ):
        images = _read(root)
        gates = {**images.pop(digest, {})}
        gates.pop(gate, None)
        images[digest] = {**gates, gate: passed} if passed else gates
        _write(path, dict([*images.items()][-_MOST_KEPT:]))
    return True


def require_gates(
    root: Path, record: BuildRecord, stage: str, *, skip_check: bool, skip_boot: bool
) -> list[str]:
    """Require that the gates were passed, and return the names of those that are skipped.

    Raises:
        RefusedError: one was not passed, and is not to be skipped.
        FailedError: the results cannot be read.

    """
    passed = passed_gates(root, record.digest, record.architecture)
    skips: dict[Gate, bool] = {"check": skip_check, "boot": skip_boot}
    missing = [gate for gate in skips if gate not in passed]
    for gate in missing:
        if not skips[gate]:
            command = _COMMANDS[gate].format(layout=LAYOUT.as_posix(), stage=stage)
            raise RefusedError(
                f"{record.digest} has not passed `{gate}`",
                hint=f"python -m release {command} (or, if you must, add --skip-{gate})",
            )
    return [*missing]


def _read(root: Path) -> dict[str, dict[Gate, Passed]]:
    path = root / _FILE
    try:
        return read_json_file(path, dict[str, dict[Gate, Passed]])
    except FileNotFoundError:
        return {}
    except DamagedFileError as error:
        raise FailedError(
            f"{path} cannot be read: {error}", hint=f"delete it: rm {_FILE.as_posix()}"
        ) from error


def _write(path: Path, images: Mapping[str, Mapping[Gate, Passed]]) -> None:
    content = msgspec.json.format(msgspec.json.encode(images), indent=2) + b"\n"
    try:
        write_whole(path, content, scratch=path.parent)
    except OSError as error:
        raise FailedError(
            f"{path} cannot be written: {error.strerror or error}; it is unchanged"
        ) from error
