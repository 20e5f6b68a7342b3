"""Findings: what a check reports, each of one rule."""

import msgspec

from imagecheck.rule import Problem, Rule, Severity


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that stops the image from running, or may."""

    rule: str
    """The id of the rule, such as C6."""
    severity: Severity
    error_type: str
    """What a person would see on Lambda; empty where there is nothing to see."""
    when: str
    """At what moment they would see it."""
    found: str
    """What was found in this image, and why that fails."""
    fix: str
    """A command, or what to change in which file."""
    line: int | None = None
    """The line of the Dockerfile that it is about."""


def finding_of(rule: Rule, problem: Problem) -> Finding:
    """Fill in from the rule what the problem leaves to it."""
    return Finding(
        rule=rule.id,
        severity=problem.severity or rule.severity,
        error_type=rule.error_type if problem.error_type is None else problem.error_type,
        when=rule.when,
        found=problem.found,
        fix=problem.fix or rule.fix,
        line=problem.line,
    )
