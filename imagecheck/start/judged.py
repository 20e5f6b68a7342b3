"""What judging a handler yields."""

from typing import NamedTuple

from imagecheck.rule import Problem, Severity


class Judged(NamedTuple):
    """A problem with the handler, and the rule that reports it."""

    rule: str
    problem: Problem


def judged(
    rule: str,
    found: str,
    fix: str = "",
    *,
    severity: Severity | None = None,
    error_type: str | None = None,
) -> Judged:
    """Make one; what is left out is as the rule has it."""
    return Judged(rule, Problem(found, fix, severity, error_type))
