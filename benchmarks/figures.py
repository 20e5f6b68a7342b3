"""Keeps what a part has measured, for the parts that calculate with it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeVar

import msgspec

from imagecheck.errors import UsageError

_FOLDER: Final = Path("build/bench")
_Figures = TypeVar("_Figures", bound=msgspec.Struct)


def keep(part: str, figures: msgspec.Struct) -> None:
    """Write the figures of a part to ``build/bench/PART.json``."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    (_FOLDER / f"{part}.json").write_bytes(msgspec.json.format(msgspec.json.encode(figures)))


def kept(part: str, figures: type[_Figures]) -> _Figures:
    """Return the figures that a part measured last.

    Raises:
        UsageError: it has measured none, or other ones.

    """
    try:
        return msgspec.json.decode((_FOLDER / f"{part}.json").read_bytes(), type=figures)
    except (OSError, msgspec.DecodeError) as error:
        hint = f"run: python -m benchmarks {part}"
        raise UsageError(f"there are no figures of {part}", hint=hint) from error
