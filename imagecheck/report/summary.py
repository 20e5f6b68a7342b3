"""The facts that a report gives beside its findings: the handler, and what was not checked."""

from collections.abc import Iterator
from dataclasses import dataclass

from imagecheck.check import Report
from imagecheck.function import IMAGE_ARCHITECTURES


@dataclass(frozen=True)
class HandlerLine:
    """The handler that a runtime client loads."""

    name: str
    language: str
    client: str
    """The path of the client in the image; empty for that of AWS's base image."""
    is_found: bool
    """Whether it was looked for, and nothing speaks against it."""


def architecture_of(report: Report) -> str | None:
    """Return the CPU that the image says it is for, as Lambda calls it."""
    config = report.subject.image.config
    names = {image: lambda_ for lambda_, image in IMAGE_ARCHITECTURES.items()}
    return names.get(config.architecture, config.architecture) if config else None


def handler_of(report: Report) -> HandlerLine | None:
    """Return the handler; None where it is not known which one is meant."""
    judgement = report.subject.judgement
    if judgement.handler is None:
        return None
    handler = judgement.handler
    found = not judgement.not_checked and not any(
        problem.severity != "warning" for _, problem in judgement.problems
    )
    return HandlerLine(handler.name, handler.language, handler.client, found)


def not_checked(report: Report) -> tuple[str, ...]:
    """Return what was not checked, and why, each as ``WHAT: WHY``."""
    return tuple(_not_checked(report))


def _not_checked(report: Report) -> Iterator[str]:
    subject = report.subject
    if subject.function.is_assumed:
        yield (
            "whether the image is for the function's CPU: neither --architecture nor --template"
            " names it"
        )
    if subject.image.files is None:
        yield "the files of the image: not all of it could be read"
        return
    yield from subject.judgement.not_checked
