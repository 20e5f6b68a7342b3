"""Which programs run one after the other until the one that stays: wrappers are followed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagecheck.start.exec_chain import Chain

if TYPE_CHECKING:
    from imagecheck.subject import Subject


@dataclass(frozen=True)
class Process:
    """A program that is executed, and what it gets."""

    argv: tuple[str, ...]
    chain: Chain
    """The way from its name to machine code."""
    workdir: str
    environment: Mapping[str, str]
    by: str = "the entrypoint"
    """What executes it, in words."""


@dataclass(frozen=True)
class Launch:
    """The programs of a start. Where it ends early, ``stopped`` says why."""

    processes: tuple[Process, ...]
    """Each replaces the one before it, or runs it as its child; the first is the entrypoint."""
    stopped: str = ""
    """Why what the last one starts is not known; empty where it is the one that stays."""

    @property
    def last(self) -> Process:
        """What stays, as far as it is known."""
        return self.processes[-1]


def launch_of(subject: "Subject") -> Launch | None:
    """Follow the start through the wrappers that are known; None where nothing is started."""
    if subject.chain is None:
        return None
    start = subject.start
    process = Process(start.argv, subject.chain, start.workdir or "/", start.environment)
    return Launch((process,))
