"""How the rules that have no file of their own yet make findings."""

from collections.abc import Callable, Iterator

from imagecheck.finding import Finding
from imagecheck.legacy_rules.rows import ROWS
from imagecheck.rule import Severity
from imagecheck.subject import Subject

LegacyRule = Callable[[Subject], Iterator[Finding]]


def error(row: str, found: str, fix: str, *, error_type: str | None = None) -> Finding:
    """Make a finding that stops the image; ``error_type`` only where it is not the row's."""
    return _finding("error", row, found, fix, error_type)


def warning(row: str, found: str, fix: str, *, error_type: str | None = None) -> Finding:
    """Make a finding that need not stop the image."""
    return _finding("warning", row, found, fix, error_type)


def _finding(severity: Severity, row: str, found: str, fix: str, error_type: str | None) -> Finding:
    return Finding(
        rule=row,
        severity=severity,
        error_type=ROWS[row].error_type if error_type is None else error_type,
        when=ROWS[row].when,
        found=found,
        fix=fix,
    )
