"""The report for people."""

import shutil
import textwrap
from collections.abc import Iterator, Sequence

import typer

from imagecheck.check import Report
from imagecheck.explain import url_of
from imagecheck.finding import Finding
from imagecheck.ignore import Ignored
from imagecheck.report.summary import architecture_of, handler_of, not_checked
from imagecheck.rules import BY_ID
from imagecheck.terminal import printable

_MARKS = {"error": ("✗", typer.colors.RED), "warning": ("!", typer.colors.YELLOW)}
_MAX_WIDTH = 100


def as_text(report: Report, differences: Sequence[str] | None = None) -> str:
    """Return the answer for people, in colours; typer removes these where they cannot be shown."""
    return "\n".join(_lines(report, differences))


def verdict(report: Report) -> str:
    """Return the last line: how many errors and warnings, and what that means."""
    errors = sum(finding.severity == "error" for finding in report.findings)
    warnings = len(report.findings) - errors
    if errors:
        text = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}: do not deploy this image"
    elif warnings:
        text = f"no errors, {_count(warnings, 'warning')}"
    else:
        text = "no problems found"
    if report.ignored:
        text += f"; {len(report.ignored)} ignored"
    if not errors and (unseen := not_checked(report)):
        text += f"; {_count(len(unseen), 'thing')} not checked"
    return text


def _lines(report: Report, differences: Sequence[str] | None) -> Iterator[str]:
    yield from _head(report)
    yield ""
    for finding in report.findings:
        yield from _finding(finding)
    if report.ignored:
        yield from _ignored(report.ignored)
    if unseen := not_checked(report):
        yield typer.style("Not checked:", bold=True)
        for clause in unseen:
            yield from _wrapped(clause)
        yield ""
    if differences is not None:
        yield from _compared(differences)
    colour = typer.colors.RED if report.has_errors else typer.colors.GREEN
    yield typer.style(verdict(report), fg=colour, bold=True)


def _head(report: Report) -> Iterator[str]:
    subject = report.subject
    image, function = subject.image, subject.function
    whose = f"{function.declared.logical_id}, " if function.declared else ""
    assumed = " (assumed)" if function.is_assumed else ""
    yield typer.style(printable(str(image.reference)), bold=True)
    if image.digest and image.digest not in str(image.reference):
        yield f"  digest   {image.digest}"
    yield f"  image    {printable(architecture_of(report) or 'architecture unknown')}"
    yield f"  function {printable(whose)}{function.architecture}{assumed}"
    if subject.start.argv:
        yield f"  starts   {printable(' '.join(subject.start.argv))}"
    handler = handler_of(report)
    if handler and handler.is_found:
        client = handler.client or "AWS's own runtime client"
        loaded = f"{handler.name} found ({handler.language.title()}, {client})"
        yield f"  handler  {printable(loaded)}"


def _finding(finding: Finding) -> Iterator[str]:
    mark, colour = _MARKS[finding.severity]
    seen = f"{finding.error_type}, {finding.when}" if finding.error_type else finding.when
    yield typer.style(f"{mark} {finding.rule}  {BY_ID[finding.rule].title}", fg=colour, bold=True)
    yield from _wrapped(f"on Lambda: {seen}")
    yield from _wrapped(finding.found)
    yield from _wrapped(f"fix: {finding.fix}")
    yield f"    {url_of(finding.rule)}"
    yield ""


def _ignored(ignored: Sequence[Ignored]) -> Iterator[str]:
    yield typer.style("Ignored:", bold=True)
    for one in ignored:
        reason = one.reason or "no reason given"
        yield from _wrapped(f"{one.finding.rule} ({reason}): {one.finding.found}")
    yield ""


def _compared(differences: Sequence[str]) -> Iterator[str]:
    yield typer.style("Differences, from the image that works to the one that fails:", bold=True)
    for number, difference in enumerate(differences, start=1):
        yield from _wrapped(f"{number}. {difference}")
    if not differences:
        yield from _wrapped("none: the images are the same as far as a start depends on them")
    yield ""


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _wrapped(text: str) -> list[str]:
    width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
    return textwrap.wrap(
        printable(text),
        width=width,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
