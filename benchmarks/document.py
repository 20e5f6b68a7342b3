"""Writes figures into the pages that explain them."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT: Final = Path(__file__).parents[1]
BENCHMARKS: Final = Path("docs/benchmarks.md")
SCALE: Final = Path("docs/scale.md")
PICTURES: Final = Path("docs/pictures")


def write_block(page: Path, name: str, lines: Iterable[str], *, root: Path = ROOT) -> None:
    """Replace the figures between the two marks of a page.

    Raises:
        ValueError: the page has no such marks.

    """
    begin = f"<!-- {name}: written by `make bench`; do not edit it here. -->\n"
    end = f"<!-- The end of {name}. -->\n"
    path = root / page
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, ends, after = rest.partition(end)
    if not found or not ends:
        raise ValueError(f"{page} has no block {name}")
    text = "\n".join(lines)
    path.write_text(f"{before}{begin}\n{text}\n\n{end}{after}", encoding="utf-8")


def write_picture(name: str, svg: str, *, root: Path = ROOT) -> str:
    """Write ``docs/pictures/NAME.svg``, and return its path as a page in docs/ names it."""
    picture = PICTURES / f"{name}.svg"
    (root / picture).write_text(svg, encoding="utf-8")
    return str(picture.relative_to("docs"))


def machine() -> str:
    """Return what figures depend on: cores, CPU, Python, and how busy others keep the machine."""
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()},"
        f" load at the start {os.getloadavg()[0]:.1f}"
    )
