"""How long each step took the last time: ``build/step-times.json``."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from release.build.record import BUILD

_FILE: Final = BUILD / "step-times.json"


def read_times(root: Path) -> Mapping[str, float]:
    """Return the seconds by step; empty where nothing is known. It is an estimate, no more."""
    try:
        return msgspec.json.decode((root / _FILE).read_bytes(), type=dict[str, float])
    except (OSError, msgspec.DecodeError):
        return {}


def note_time(root: Path, step: str, seconds: float) -> None:
    """Keep how long a step took, where that can be written."""
    times = {**read_times(root), step: round(seconds, 1)}
    with contextlib.suppress(OSError):
        (root / _FILE).parent.mkdir(exist_ok=True)
        (root / _FILE).write_bytes(msgspec.json.encode(times))
