"""Possible next steps of a start after a program."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NOT_FOUND: Final = 127
"""The status of a shell, or of env and its like, whose program is not there."""
NOT_RUN: Final = 126
"""The status of one whose program may not be run."""


@dataclass(frozen=True)
class Next:
    """It executes another program."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    workdir: str
    by: str
    """What executes it, in words."""
    status_missing: int | None
    """What it ends with where there is no such program; None: not known."""
    status_refused: int | None
    """What it ends with where the program may not be run."""
    runs_text: bool = False
    """Whether it takes a program that the kernel refuses for a script of its own."""
    may_be_elsewhere: bool = False
    """Whether it also looks in places that are not known here."""


@dataclass(frozen=True)
class Ended:
    """It ends, and nothing stays."""

    status: int | None
    """None: not known."""
    why: str
    by: str
    """What ends, in words."""
    rule: str = ""
    """The rule that reports it; empty where that is not a failure by itself."""
    fix: str = ""


@dataclass(frozen=True)
class UnknownStep:
    """What it starts is not known."""

    why: str


Step = Next | Ended | UnknownStep
