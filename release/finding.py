"""What a check says: findings, each of one row of the table of failures."""

from typing import Literal

import msgspec

from release.rows import ROWS

Severity = Literal["error", "warning"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that stops the image from running, or may."""

    row: str
    """Which failure it is: a key of ``ROWS``."""
    severity: Severity
    error_type: str
    """What a person would see on Lambda; empty where there is nothing to see."""
    when: str
    """At what moment they would see it."""
    found: str
    """What was found in this image, and why that fails."""
    fix: str
    """A command, or what to change in which file."""


def error(row: str, found: str, fix: str, *, error_type: str | None = None) -> Finding:
    """Make a finding that stops the image; ``error_type`` only where it is not the row's."""
    return _finding("error", row, found, fix, error_type)


def warning(row: str, found: str, fix: str, *, error_type: str | None = None) -> Finding:
    """Make a finding that need not stop the image."""
    return _finding("warning", row, found, fix, error_type)


def _finding(severity: Severity, row: str, found: str, fix: str, error_type: str | None) -> Finding:
    return Finding(
        row=row,
        severity=severity,
        error_type=ROWS[row].error_type if error_type is None else error_type,
        when=ROWS[row].when,
        found=found,
        fix=fix,
    )
