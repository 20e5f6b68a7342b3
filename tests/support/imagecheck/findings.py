"""Findings of any rule, made without an image."""

from imagecheck.finding import Finding, finding_of
from imagecheck.rule import Problem
from imagecheck.rules import BY_ID


def error(rule: str, found: str, fix: str, *, error_type: str | None = None) -> Finding:
    return finding_of(BY_ID[rule], Problem(found, fix, "error", error_type))


def warning(rule: str, found: str, fix: str, *, error_type: str | None = None) -> Finding:
    return finding_of(BY_ID[rule], Problem(found, fix, "warning", error_type))
