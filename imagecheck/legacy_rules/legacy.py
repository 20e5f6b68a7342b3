"""How the rules that have no file of their own yet make findings."""

from collections.abc import Callable, Iterator

from imagecheck.finding import Finding
from imagecheck.legacy_rules.rows import ROWS
from imagecheck.rule import Problem
from imagecheck.subject import Subject

LegacyRule = Callable[[Subject], Iterator[Finding]]


def error(
    row: str, found: str, fix: str, *, error_type: str | None = None, line: int | None = None
) -> Finding:
    """Make a finding that stops the image; ``error_type`` only where it is not the row's."""
    return _finding(row, Problem(found, fix, "error", error_type, line))


def warning(row: str, found: str, fix: str, *, error_type: str | None = None) -> Finding:
    """Make a finding that need not stop the image."""
    return _finding(row, Problem(found, fix, "warning", error_type))


def _finding(row: str, problem: Problem) -> Finding:
    return Finding(
        rule=row,
        severity=problem.severity or "error",
        error_type=ROWS[row].error_type if problem.error_type is None else problem.error_type,
        when=ROWS[row].when,
        found=problem.found,
        fix=problem.fix,
        line=problem.line,
    )
