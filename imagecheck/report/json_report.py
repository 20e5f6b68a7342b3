"""The report as JSON: the types here are what the schema in docs is generated from."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from imagecheck.check import Report
from imagecheck.envelope import envelope
from imagecheck.explain import url_of
from imagecheck.finding import Finding
from imagecheck.function import Architecture
from imagecheck.report.summary import architecture_of, handler_of, not_checked
from imagecheck.rule import Severity
from imagecheck.rules import BY_ID


class ReportedFunction(Struct, frozen=True, kw_only=True, rename="camel"):
    """The function that the image was checked for."""

    architecture: Architecture
    is_assumed: bool
    """Whether its architecture is only the image's own, because no option names it."""
    logical_id: str | None
    """Of the resource in the template; null without a template."""


class ReportedHandler(Struct, frozen=True, kw_only=True, rename="camel"):
    """The handler that a runtime client loads."""

    name: str
    language: str
    client: str
    """Where the runtime client is in the image; empty where it is that of AWS's base image."""
    is_found: bool
    """Whether it was looked for and found."""


class ReportedFinding(Struct, frozen=True, kw_only=True, rename="camel"):
    """One thing that stops the image from running, or may."""

    rule: str
    """The id of the rule, such as C6."""
    title: str
    severity: Severity
    error_type: str
    """The error that Lambda shows; empty where it shows none."""
    when: str
    found: str
    fix: str
    line: int | None
    """The line of the Dockerfile that it is about."""
    url: str


class ReportedIgnored(ReportedFinding, frozen=True, kw_only=True, rename="camel"):
    """A finding that an option or the configuration ignores."""

    reason: str
    """As the user gave it; may be empty."""


class CheckResult(Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer of a check; it stands beside the keys of the envelope."""

    image: str
    digest: str | None
    """Null where only a push makes one."""
    architecture: str | None
    """The CPU that the image names, as Lambda writes it where Lambda has it."""
    function: ReportedFunction
    starts: tuple[str, ...]
    """The command line that Lambda executes."""
    handler: ReportedHandler | None
    """Null where it is not known which one is meant."""
    findings: tuple[ReportedFinding, ...]
    """Errors first."""
    ignored: tuple[ReportedIgnored, ...]
    not_checked: tuple[str, ...]
    """Each as ``WHAT: WHY``."""
    differences: tuple[str, ...] | UnsetType = UNSET
    """From the image that works to the one that fails; only with ``--against``."""


def as_json(report: Report, command: str, differences: Sequence[str] | None = None) -> str:
    """Return what ``--format json`` prints: the envelope of a command around ``CheckResult``."""
    result = msgspec.to_builtins(_result(report, differences))
    return envelope(command, result, ok=not report.has_errors)


def _result(report: Report, differences: Sequence[str] | None) -> CheckResult:
    subject = report.subject
    declared = subject.function.declared
    handler = handler_of(report)
    return CheckResult(
        image=str(subject.image.reference),
        digest=subject.image.digest,
        architecture=architecture_of(report),
        function=ReportedFunction(
            architecture=subject.function.architecture,
            is_assumed=subject.function.is_assumed,
            logical_id=declared.logical_id if declared else None,
        ),
        starts=tuple(subject.start.argv),
        handler=ReportedHandler(
            name=handler.name,
            language=handler.language,
            client=handler.client,
            is_found=handler.is_found,
        )
        if handler
        else None,
        findings=tuple(ReportedFinding(**_keys(finding)) for finding in report.findings),
        ignored=tuple(
            ReportedIgnored(**_keys(one.finding), reason=one.reason) for one in report.ignored
        ),
        not_checked=not_checked(report),
        differences=UNSET if differences is None else tuple(differences),
    )


def _keys(finding: Finding) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(finding),
        "title": BY_ID[finding.rule].title,
        "url": url_of(finding.rule),
    }
