"""The figures of a trial."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chaos.faults import NO_FAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chaos.history import Operation
    from chaos.judge import Verdict, Violation

OUTCOMES = ("done", "refused", "503", "500", "no answer")
"""What became of an operation: 2xx or 304, 4xx, …, or its process was ended."""


@dataclass
class FaultFigures:
    """What one kind of fault led to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    """That it met."""
    longest_s: float = 0

    @property
    def operations(self) -> int:
        """How many it met."""
        return self.outcomes.total()


@dataclass
class Figures:
    """The figures of a trial, also of one that is under way."""

    seed: int
    faults: Sequence[str]
    planned: int = 0
    operations: int = 0
    requests: int = 0
    stories: int = 0
    rooms: int = 0
    of_two_versions: int = 0
    by_fault: dict[str, FaultFigures] = field(default_factory=dict)
    allowed: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    log_lines: int = 0
    leaks: list[str] = field(default_factory=list)
    seconds: float = 0

    @property
    def faults_met(self) -> int:
        """How many operations met a fault."""
        return sum(one.operations for name, one in self.by_fault.items() if name != NO_FAULT.name)

    @property
    def is_clean(self) -> bool:
        """Whether nothing happened that the contract does not allow."""
        return not self.violations and not self.leaks

    def add(
        self, operations: Sequence[Operation], verdict: Verdict, *, is_of_two_versions: bool
    ) -> None:
        """Count a story."""
        self.stories += 1
        self.rooms += verdict.rooms
        self.operations += len(operations)
        self.of_two_versions += len(operations) * is_of_two_versions
        self.allowed += verdict.allowed
        self.violations += verdict.violations
        for operation in operations:
            self.requests += operation.requests
            # A fault of a second request meets nobody who sends one.
            name = operation.fault if operation.met else NO_FAULT.name
            found = self.by_fault.setdefault(name, FaultFigures())
            found.outcomes[_outcome(operation)] += 1
            found.requests += operation.met
            found.longest_s = max(found.longest_s, operation.answered - operation.called)


def _outcome(operation: Operation) -> str:
    if operation.is_done:
        return "done"
    if operation.status == 0:
        return "no answer"
    return "refused" if operation.is_known else str(operation.status)
