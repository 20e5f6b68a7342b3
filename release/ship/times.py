"""How long each step took the last time: ``build/step-times.json``."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from config.json_file import DamagedFileError, read_json_file
from config.whole_file import write_whole
from release.build.record import BUILD

_FILE: Final = BUILD / "step-times.json"


def read_times(root: Path) -> Mapping[str, float]:
    """Return the seconds by step; empty where nothing is known. It is an estimate, no more."""
    try:
        return read_json_file(root / _FILE, dict[str, float])
    except (FileNotFoundError, DamagedFileError):
        return {}


def note_time(root: Path, step: str, seconds: float) -> None:
    """Keep how long a step took, where that can be written."""
    times = {**read_times(root), step: round(seconds, 1)}
    with contextlib.suppress(OSError):
        write_whole(root / _FILE, msgspec.json.encode(times), scratch=root / BUILD)
