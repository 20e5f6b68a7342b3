"""The report as JSON."""

import json
from collections.abc import Sequence
from typing import Any

from imagecheck.check import Report
from imagecheck.explain import url_of
from imagecheck.finding import Finding
from imagecheck.report.known import architecture_of, handler_of, not_looked_at
from imagecheck.rules import BY_ID


def as_json(report: Report, differences: Sequence[str] | None = None) -> str:
    """Return what ``--format json`` prints; docs/lambda-image-check.md describes it.

    "digest" is null where only a push makes one; "architecture" is the image's, as Lambda writes
    it; "handler" is null where it is not known; "differences" is there where two images were
    compared.
    """
    subject = report.subject
    handler = handler_of(report)
    document: dict[str, Any] = {
        "image": str(subject.image.reference),
        "digest": subject.image.digest,
        "architecture": architecture_of(report),
        "function": {
            "architecture": subject.function.architecture,
            "is_assumed": subject.function.is_assumed,
            "logical_id": declared.logical_id if (declared := subject.function.declared) else None,
        },
        "starts": list(subject.start.argv),
        "handler": handler
        and {
            "name": handler.name,
            "language": handler.language,
            "client": handler.client,
            "is_found": handler.is_found,
        },
        "findings": [_finding(finding) for finding in report.findings],
        "ignored": [{**_finding(one.finding), "reason": one.reason} for one in report.ignored],
        "not_looked_at": not_looked_at(report),
    }
    if differences is not None:
        document["differences"] = differences
    return printable_json(document)


def printable_json(document: Any) -> str:
    """Write JSON that no terminal obeys, in readable characters."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    # Terminals obey more characters than JSON has to escape, and json.dumps escapes all but ASCII.
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "title": BY_ID[finding.rule].title,
        "severity": finding.severity,
        "error_type": finding.error_type,
        "when": finding.when,
        "found": finding.found,
        "fix": finding.fix,
        "line": finding.line,
        "url": url_of(finding.rule),
    }
