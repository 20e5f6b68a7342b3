"""What a check found, for people and for pipelines."""

import json
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import typer

from imagecheck.check import Report
from imagecheck.finding import Finding
from imagecheck.function import IMAGE_ARCHITECTURES
from imagecheck.rules import BY_ID
from imagecheck.terminal import printable

_MARKS = {"error": ("✗", typer.colors.RED), "warning": ("!", typer.colors.YELLOW)}
_MAX_WIDTH = 100


def as_json(report: Report, differences: Sequence[str] | None = None) -> str:
    """Return what ``--json`` prints.

    ``{"image", "digest", "architecture", "findings": [{"rule", "severity", "error_type", "when",
    "found", "fix"}]}``, and "differences" where two images were compared. The digest is null where
    only a push makes one; the architecture is the image's, as Lambda writes it.
    """
    image = report.subject.image
    document: dict[str, Any] = {
        "image": str(image.reference),
        "digest": image.digest,
        "architecture": _architecture(report),
        "findings": report.findings,
    }
    if differences is not None:
        document["differences"] = differences
    text = json.dumps(msgspec.to_builtins(document), indent=2, ensure_ascii=False)
    # Terminals obey more characters than JSON has to escape, and json.dumps escapes all but ASCII.
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def as_text(report: Report, differences: Sequence[str] | None = None) -> str:
    """Return what a person reads, coloured; typer takes the colours out where there is none."""
    return "\n".join(_lines(report, differences))


def _lines(report: Report, differences: Sequence[str] | None) -> Iterator[str]:
    subject = report.subject
    image = subject.image
    function = subject.function
    whose = f"{function.declared.logical_id}, " if function.declared else ""
    yield typer.style(printable(str(image.reference)), bold=True)
    if image.digest and image.digest not in str(image.reference):
        yield f"  digest   {image.digest}"
    yield f"  image    {printable(_architecture(report) or 'architecture unknown')}"
    yield f"  function {printable(whose)}{function.architecture}"
    if subject.start.argv:
        yield f"  starts   {printable(' '.join(subject.start.argv))}"
    yield ""
    for finding in report.findings:
        yield from _finding(finding)
    if differences is not None:
        yield from _compared(differences)
    yield _verdict(report)


def _finding(finding: Finding) -> Iterator[str]:
    mark, colour = _MARKS[finding.severity]
    seen = f"{finding.error_type}, {finding.when}" if finding.error_type else finding.when
    yield typer.style(f"{mark} {finding.rule}  {BY_ID[finding.rule].title}", fg=colour, bold=True)
    yield from _wrapped(f"on Lambda: {seen}")
    yield from _wrapped(finding.found)
    yield from _wrapped(f"fix: {finding.fix}")
    yield ""


def _compared(differences: Sequence[str]) -> Iterator[str]:
    yield typer.style("What differs, from what works to what fails:", bold=True)
    for number, difference in enumerate(differences, start=1):
        yield from _wrapped(f"{number}. {difference}")
    if not differences:
        yield from _wrapped("nothing: the images are the same as far as a start depends on them")
    yield ""


def _verdict(report: Report) -> str:
    errors = sum(finding.severity == "error" for finding in report.findings)
    warnings = len(report.findings) - errors
    counts = f"{_count(errors, 'error')}, {_count(warnings, 'warning')}"
    if errors:
        return typer.style(f"{counts}: do not deploy this image", fg=typer.colors.RED, bold=True)
    return typer.style(
        f"{counts}: nothing that can be seen here stops it", fg=typer.colors.GREEN, bold=True
    )


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _architecture(report: Report) -> str | None:
    config = report.subject.image.config
    names = {image: lambda_ for lambda_, image in IMAGE_ARCHITECTURES.items()}
    return names.get(config.architecture, config.architecture) if config else None


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
