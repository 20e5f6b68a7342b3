"""A problem with the handler, and the rule that reports it."""

from typing import NamedTuple

from imagecheck.rule import Problem, Severity


class HandlerProblem(NamedTuple):
    """A problem with the handler, and the rule that reports it."""

    rule: str
    problem: Problem


def handler_problem(
    rule: str,
    found: str,
    fix: str = "",
    *,
    severity: Severity | None = None,
    error_type: str | None = None,
) -> HandlerProblem:
    """Make one; what is left out is as the rule has it."""
    return HandlerProblem(rule, Problem(found, fix, severity, error_type))
