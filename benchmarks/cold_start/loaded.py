"""How much of an image a function reads up to its first answer, and how much ours adds to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.cold_start.process import environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from benchmarks.cold_start.catalogue import Peer
    from benchmarks.cold_start.process import Place

_PROBE: Final = Path(__file__).parent / "probe"


class Loaded(msgspec.Struct, frozen=True):
    """What a function had loaded when it had answered once."""

    modules: int
    files: int
    bytes: int


class Size(msgspec.Struct, frozen=True):
    """The size of a folder."""

    files: int
    bytes: int


def loaded(peer: Peer, place: Place, event: Mapping[str, Any]) -> Loaded:
    """Have a function answer once, and return what it had loaded then. Only for Python."""
    extra = {"PROBED": peer.handler, "PYTHONPATH": str(_PROBE)}
    probed = peer._replace(handler="loaded_files.handler")
    with environment(probed, place, extra) as started:
        answer, _ = started.invoke(event)
    found = json.loads(answer["body"])
    sizes = [size for path, size in found["sizes"].items() if Path(path).parent != _PROBE]
    return Loaded(found["modules"], len(sizes), sum(sizes))


def size(folder: Path) -> Size:
    """Return how many files a folder has, and how large they are together."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return Size(len(sizes), sum(sizes))
