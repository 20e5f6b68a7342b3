"""The result of a boot, as text and as fields of JSON."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import typer

from contract.run import ContractStep
from imagecheck.image.elf import machine_name
from imagecheck.subject import Subject
from imagecheck.template import limits_of
from imagecheck.terminal import printable


@dataclass(frozen=True)
class Failure:
    """What went wrong."""

    error_type: str
    """As Lambda calls it; empty where it answers, but not as the contract wants."""
    message: str
    at: str
    """``create or update`` of the function, ``init``, or the step of the contract test."""


@dataclass(frozen=True, kw_only=True)
class Boot:
    """How an image started, and what it answered."""

    subject: Subject
    function_key: str | None = None
    """See ``CloudAssembly.function_key``; None where it was not started."""
    where: str = ""
    """What it was started in; empty where reading it was enough to know."""
    emulator: str = ""
    """What ran its programs, where this machine has another CPU."""
    ready_milliseconds: float | None = None
    """From the start of the process until it asked for its first event."""
    steps: tuple[ContractStep, ...] = ()
    """What was answered as the contract wants."""
    failure: Failure | None = None
    output: tuple[str, ...] = ()
    """The last lines of what the process wrote."""
    notes: tuple[str, ...] = ()
    """What this boot does not show."""


class BootFailureResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Why the image failed. ``errorType`` is empty where it answers, but not as it should."""

    error_type: str
    message: str
    at: str


class BootResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How an image started, and what it answered.

    ``readyMilliseconds`` is null where it did not start. ``emulatedBy`` is null where its programs
    ran on the function's CPU, and names what ran them where they did not. ``recorded``: the record
    of the last build says that its image has passed.
    """

    image: str
    digest: str | None
    architecture: str
    where: str
    emulated_by: str | None
    ready_milliseconds: float | None
    steps: tuple[ContractStep, ...]
    failure: BootFailureResult | None
    output: tuple[str, ...]
    notes: tuple[str, ...]
    recorded: bool


def result_of(boot: Boot, *, recorded: bool) -> BootResult:
    """Return a boot as JSON has it."""
    image, failure = boot.subject.image, boot.failure
    return BootResult(
        image=str(image.reference),
        digest=image.digest,
        architecture=boot.subject.function.architecture,
        where=boot.where,
        emulated_by=boot.emulator or None,
        ready_milliseconds=boot.ready_milliseconds,
        steps=boot.steps,
        failure=BootFailureResult(
            error_type=failure.error_type, message=failure.message, at=failure.at
        )
        if failure
        else None,
        output=boot.output,
        notes=boot.notes,
        recorded=recorded,
    )


def as_text(boot: Boot, *, stage: str, recorded: bool) -> str:
    """Return what a person reads, coloured; typer takes the colours out where there is none."""
    return "\n".join((*_head(boot), "", *_course(boot), *_verdict(boot, stage, recorded=recorded)))


def course_text(boot: Boot) -> str:
    """Return what happened, coloured, without what to do next."""
    return "\n".join((*_head(boot), "", *_course(boot)))


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
    if boot.emulator:
        yield f"  emulated by {printable(boot.emulator)}"


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


def _verdict(boot: Boot, stage: str, *, recorded: bool) -> Iterator[str]:
    yield ""
    if boot.failure is None:
        where = "; recorded for `push` and `pin`" if recorded else ""
        how = ", emulated," if boot.emulator else ","
        yield f"it starts{how} and passes the contract test{where}"
        return
    yield "do not deploy this image"
    image = boot.subject.image.reference
    if boot.ready_milliseconds is None:
        yield f"find the cause in the image: python -m release check {image} --stage {stage}"
    else:
        yield "the image starts: look at the lines above, and at the code that answers"
    if boot.emulator:
        architecture = boot.subject.function.architecture
        yield f"it may be the emulator's: boot it on an {architecture} machine to be sure"


def machine_of(subject: Subject) -> str:
    """Name the CPU of the program that the entrypoint leads to; empty where it leads nowhere."""
    machine = subject.chain.machine if subject.chain else None
    return "" if machine is None else machine_name(machine)
