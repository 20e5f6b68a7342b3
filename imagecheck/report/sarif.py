"""The report as SARIF 2.1.0, as GitHub's code scanning takes it.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html and
https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support
"""

import hashlib
import posixpath
from typing import Any, Final
from urllib.parse import quote

from imagecheck import HOME_URL, __version__
from imagecheck.check import Report
from imagecheck.envelope import printable_json
from imagecheck.explain import url_of
from imagecheck.finding import Finding
from imagecheck.ignore import Ignored
from imagecheck.report.locations import Location, ProjectFiles
from imagecheck.report.summary import not_checked
from imagecheck.rule import Rule
from imagecheck.rules import BY_ID

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def as_sarif(report: Report, places: ProjectFiles) -> str:
    """Return the SARIF log: one run, all findings, what was ignored as suppressed."""
    results = [_result(report, finding, places) for finding in report.findings]
    results += [_suppressed(report, one, places) for one in report.ignored]
    names = {finding.rule for finding in report.findings}
    names |= {one.finding.rule for one in report.ignored}
    rules = [rule for rule in BY_ID.values() if rule.id in names]
    index = {rule.id: number for number, rule in enumerate(rules)}
    for result in results:
        result["ruleIndex"] = index[result["ruleId"]]
    image = report.subject.image
    run = {
        "tool": {
            "driver": {
                "name": "lambda-image-check",
                "version": __version__,
                "semanticVersion": __version__,
                "informationUri": HOME_URL,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": f"not checked: {clause}"}}
                    for clause in not_checked(report)
                ],
            }
        ],
        "properties": {"image": str(image.reference), "digest": image.digest},
        "results": results,
    }
    return printable_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "name": rule.title,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why or rule.title},
        "helpUri": url_of(rule.id),
        "help": {
            "text": f"{rule.why} {rule.fix}".strip() or rule.title,
            "markdown": f"{rule.why}\n\n**Fix:** {rule.fix}\n\n[{rule.id}]({url_of(rule.id)})",
        },
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"tags": ["aws-lambda", "container-image"], "precision": "high"},
    }


def _result(report: Report, finding: Finding, places: ProjectFiles) -> dict[str, Any]:
    image = str(report.subject.image.reference)
    place = places.of(finding, report)
    return {
        "ruleId": finding.rule,
        "level": finding.severity,
        "message": {"text": f"{finding.found}. Fix: {finding.fix}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(place)},
                    "region": {"startLine": place.line},
                },
                "logicalLocations": [{"fullyQualifiedName": image, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"lambdaImageCheck/v1": _fingerprint(finding, place)},
        "properties": {"errorType": finding.error_type, "when": finding.when},
    }


def _suppressed(report: Report, one: Ignored, places: ProjectFiles) -> dict[str, Any]:
    suppression = {"kind": "external", "status": "accepted"}
    if one.reason:
        suppression["justification"] = one.reason
    return {**_result(report, one.finding, places), "suppressions": [suppression]}


def _fingerprint(finding: Finding, place: Location) -> str:
    """Name the same finding of the next image alike: no digest, no tag."""
    where = place.path if place.is_file else ""
    text = "\0".join((finding.rule, where, finding.found))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _uri(place: Location) -> str:
    """Return a relative URI; of what is not a file, the name of the image as a path."""
    if place.is_file:
        root = "file://" if posixpath.isabs(place.path) else ""
        return root + quote(place.path)
    name = place.path.partition(":")[2].lstrip("/")
    return quote(name, safe="/") or "image"
