"""What a boot found, for people and for pipelines."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import typer

from imagecheck.image.elf import machine_name
from imagecheck.subject import Subject
from imagecheck.template import limits_of
from imagecheck.terminal import printable
from lambda_src.probe.play import Step


@dataclass(frozen=True)
class Failure:
    """What went wrong."""

    error_type: str
    """As Lambda calls it; empty where it answers, but not as the contract wants."""
    message: str
    at: str
    """``create or update`` of the function, ``init``, or the step of the play."""


@dataclass(frozen=True, kw_only=True)
class Boot:
    """How an image started, and what it answered."""

    subject: Subject
    where: str = ""
    """What it was started in; empty where reading it was enough to know."""
    ready_milliseconds: float | None = None
    """From the start of the process until it asked for its first event."""
    steps: tuple[Step, ...] = ()
    """What was answered as the contract wants."""
    failure: Failure | None = None
    output: tuple[str, ...] = ()
    """The last lines of what the process wrote."""
    notes: tuple[str, ...] = ()
    """What this boot does not show."""


def as_json(boot: Boot, *, noted: bool) -> str:
    """Return what ``--json`` prints.

    ``{"image", "digest", "architecture", "where", "ready_ms", "steps": [{"name", "status", "ms"}],
    "error": {"type", "message", "at"} or null, "output": [line], "notes": [text], "noted"}``. The
    type is empty where the function answers, but not as the contract wants.
    """
    image, failure = boot.subject.image, boot.failure
    document = {
        "image": str(image.reference),
        "digest": image.digest,
        "architecture": boot.subject.function.architecture,
        "where": boot.where,
        "ready_ms": boot.ready_milliseconds,
        "steps": [{"name": s.name, "status": s.status, "ms": s.milliseconds} for s in boot.steps],
        "error": failure
        and {"type": failure.error_type, "message": failure.message, "at": failure.at},
        "output": boot.output,
        "notes": boot.notes,
        "noted": noted,
    }
    text = json.dumps(document, indent=2, ensure_ascii=False)
    # Terminals obey more characters than JSON has to escape, and json.dumps escapes all but ASCII.
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def as_text(boot: Boot, *, stage: str, noted: bool) -> str:
    """Return what a person reads, coloured; typer takes the colours out where there is none."""
    return "\n".join((*_head(boot), "", *_course(boot), *_verdict(boot, stage, noted=noted)))


def _head(boot: Boot) -> Iterator[str]:
    image, function = boot.subject.image, boot.subject.function
    whose, limits = "", ""
    if function.declared:
        whose = f"{function.declared.logical_id}, "
        allowed = limits_of(function.declared)
        limits = f", {allowed.memory_mb} MB, {allowed.timeout_seconds} s"
    yield typer.style(printable(str(image.reference)), bold=True)
    if image.digest and image.digest not in str(image.reference):
        yield f"  digest   {image.digest}"
    yield f"  function {printable(whose)}{function.architecture}{limits}"
    if boot.subject.start.argv:
        yield f"  starts   {printable(' '.join(boot.subject.start.argv))}"
    if boot.where:
        yield f"  in       {boot.where}"


def _course(boot: Boot) -> Iterator[str]:
    if boot.ready_milliseconds is not None:
        yield _done("ready", "", boot.ready_milliseconds)
    for step in boot.steps:
        yield _done(step.name, str(step.status), step.milliseconds)
    if failure := boot.failure:
        what = failure.error_type or "a wrong answer"
        yield typer.style(f"✗ {failure.at}: {printable(what)}", fg=typer.colors.RED, bold=True)
        yield f"    {printable(failure.message)}"
        if boot.output:
            yield "  the last lines that it wrote:"
        for line in boot.output:
            yield f"    {printable(line)}"
    for note in boot.notes:
        yield typer.style(f"! {printable(note)}", fg=typer.colors.YELLOW)


def _done(name: str, status: str, milliseconds: float) -> str:
    return (
        f"{typer.style('✓', fg=typer.colors.GREEN)} {name:<17} {status:>3} {milliseconds:8.1f} ms"
    )


def _verdict(boot: Boot, stage: str, *, noted: bool) -> Iterator[str]:
    yield ""
    if boot.failure is None:
        where = "; noted for `pin`" if noted else ""
        yield f"it starts, and answers as the contract wants{where}"
        return
    yield "do not deploy this image"
    image = boot.subject.image.reference
    if boot.ready_milliseconds is None:
        yield f"what of the image causes it: python -m release check {image} --stage {stage}"
    else:
        yield "the image starts: look at the lines above, and at the code that answers"


def machine_of(subject: Subject) -> str:
    """Name the CPU of the program that the entrypoint leads to; empty where it leads nowhere."""
    machine = subject.chain.machine if subject.chain else None
    return "" if machine is None else machine_name(machine)
