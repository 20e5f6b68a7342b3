"""The report as annotations of GitHub's workflows.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from collections.abc import Iterator

from imagecheck.check import Report
from imagecheck.explain import url_of
from imagecheck.finding import Finding
from imagecheck.report.locations import ProjectFiles
from imagecheck.report.summary import not_checked
from imagecheck.report.text import verdict
from imagecheck.rules import BY_ID
from imagecheck.terminal import printable


def as_github(report: Report, places: ProjectFiles) -> str:
    """Return a line for each finding, and the verdict as a line of the log."""
    return "\n".join(_lines(report, places))


def _lines(report: Report, places: ProjectFiles) -> Iterator[str]:
    image = str(report.subject.image.reference)
    for finding in report.findings:
        place = places.of(finding, report)
        where = {"file": place.path, "line": str(place.line)} if place.is_file else {}
        text = f"{image}\n{_said(finding)}\n{url_of(finding.rule)}"
        yield _command(finding.severity, text, **where, title=_title(finding))
    for one in report.ignored:
        reason = one.reason or "no reason given"
        yield _command(
            "notice",
            f"{image}\n{_said(one.finding)}",
            title=f"{one.finding.rule} ignored: {reason}",
        )
    for clause in not_checked(report):
        yield _command("notice", f"{image}\n{clause}", title="Not checked")
    yield printable(f"{image}: {verdict(report)}")


def _title(finding: Finding) -> str:
    return f"{finding.rule} {BY_ID[finding.rule].title}"


def _said(finding: Finding) -> str:
    return f"{finding.found}\nfix: {finding.fix}"


def _command(name: str, message: str, **properties: str) -> str:
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name}{' ' if written else ''}{written}::{_data(message)}"


def _data(text: str) -> str:
    """Escape as the toolkit does: @actions/core, command.ts."""
    clean = printable(text, keep="\n")
    return clean.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
