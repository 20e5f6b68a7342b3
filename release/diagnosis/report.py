"""A diagnosis, for people and for pipelines."""

import shutil
import textwrap
from collections.abc import Iterator
from typing import Final

import msgspec
import typer

from imagecheck.terminal import printable
from release.diagnosis.cause import FailureCause
from release.diagnosis.diagnose import Diagnosis, Verdict
from release.diagnosis.facts import (
    ABSENT,
    AliasFacts,
    DeploymentFacts,
    FunctionFacts,
    LogFacts,
    StackFacts,
    UnreadSource,
)
from release.diagnosis.image_facts import ImageFacts
from release.diagnosis.outcome import answers

_MAX_WIDTH: Final = 100
_COLOURS: Final = {
    "certain": typer.colors.RED,
    "likely": typer.colors.RED,
    "possible": typer.colors.YELLOW,
}


class CheckedSource(msgspec.Struct, frozen=True, rename="camel"):
    """A source that was read, and what it said, in a few words."""

    source: str
    found: str


class DiagnoseResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What ``diagnose --json`` prints."""

    stage: str
    account: str | None
    """The account of the credentials; null where it could not be asked."""
    region: str
    function: str
    """The name of the function."""
    verdict: Verdict
    """``works``; ``broken``: there is a cause; ``nothing found``: no cause was found, and the
    function was not invoked, as asked; ``unknown``: too few sources could be read."""
    causes: tuple[FailureCause, ...]
    """The most likely cause first. Where live was seen to fail, what is wrong with live comes
    before a version that was refused (``refused-…``, ``deployment-…``), however certain that is. A
    refused version is no cause any more once live works and both the lock file and the release
    parameter name what is live: then ``lookedAt`` has it as ``last deployment``."""
    looked_at: tuple[CheckedSource, ...]
    could_not_look: tuple[UnreadSource, ...]


def result_of(diagnosis: Diagnosis, account: str | None) -> DiagnoseResult:
    """Return a diagnosis as data; ``account`` is where AWS was asked."""
    facts = diagnosis.facts
    return DiagnoseResult(
        stage=facts.stage.name,
        account=account,
        region=facts.stage.region,
        function=facts.function_name,
        verdict=diagnosis.verdict,
        causes=diagnosis.causes,
        looked_at=tuple(CheckedSource(*one) for one in _checked(diagnosis)),
        could_not_look=facts.unread,
    )


def as_text(diagnosis: Diagnosis) -> str:
    """Return the report for people, coloured; typer removes colours where there is no terminal."""
    return "\n".join(_lines(diagnosis))


def _lines(diagnosis: Diagnosis) -> Iterator[str]:
    facts = diagnosis.facts
    yield typer.style(f"{facts.stage.name}: {_headline(diagnosis)}", bold=True)
    yield ""
    for number, cause in enumerate(diagnosis.causes):
        if number == 1:
            yield typer.style("Less likely:", bold=True)
            yield ""
        yield from _cause(cause)
    yield "checked"
    for source, found in _checked(diagnosis):
        yield from _wrapped(f"{source}: {found}", indent=2)
    if facts.unread:
        yield "could not be read"
        for one in facts.unread:
            yield from _wrapped(f"{one.source}: {one.why}", indent=2)
            if one.hint:
                yield from _wrapped(f"hint: {one.hint}")


def _headline(diagnosis: Diagnosis) -> str:
    facts = diagnosis.facts
    match diagnosis.verdict:
        case "works":
            text, colour = "it works", typer.colors.GREEN
        case "nothing found":
            text = "no problems found; the function was not invoked, so this is no proof"
            colour = typer.colors.GREEN
        case "unknown":
            text = "no cause found, but too few sources could be read to say that it works"
            colour = typer.colors.YELLOW
        case _:
            if facts.has_nothing_live:
                text = "nothing is live"
            elif facts.works_now:
                text = "live answers, but something is wrong"
            elif facts.invocation is not None:
                text = "it does not work"
            else:
                text = "something is wrong"
            colour = typer.colors.RED
    return typer.style(text, fg=colour, bold=True)


def _cause(cause: FailureCause) -> Iterator[str]:
    mark = "✗" if cause.likelihood != "possible" else "?"
    yield from (
        typer.style(line, fg=_COLOURS[cause.likelihood], bold=True)
        for line in _wrapped(f"{mark} {cause.title}", indent=0)
    )
    named = " · ".join(
        part
        for part in (cause.likelihood, cause.error_type, f"rule {cause.rule}" if cause.rule else "")
        if part
    )
    yield from _wrapped(named)
    for evidence in cause.evidence:
        yield from _wrapped(f"{evidence.source}: {evidence.text}", indent=6)
    if cause.explanation:
        yield from _wrapped(cause.explanation)
    for number, remedy in enumerate(cause.fix):
        yield from _wrapped(f"{'fix:' if number == 0 else 'then:'} {remedy.text}")
        if remedy.command:
            # In one line, whatever the width: it is there to be copied.
            yield f"      $ {printable(remedy.command)}"
    yield ""


def _checked(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    """Yield each source that was read, in a few words."""
    facts = diagnosis.facts
    names = facts.stage.names
    stack = facts.stack
    if stack is not None:
        status = stack.status if isinstance(stack, StackFacts) else "there is none"
        yield f"stack {names.rooms_stack}", status
    if isinstance(facts.live, FunctionFacts):
        live = facts.live
        what = live.digest or "zip"
        yield (
            f"function {facts.function_name}",
            f"live is version {live.version}, {live.state}, {live.architecture},"
            f" {live.memory_mb} MB, {live.timeout_seconds} s, {what}",
        )
    elif ABSENT in (facts.latest, facts.live):
        yield f"function {facts.function_name}", "there is none, or no alias live"
    if isinstance(facts.alias, AliasFacts) and facts.alias.weights:
        shares = ", ".join(f"{share:.0%} to {v}" for v, share in facts.alias.weights.items())
        yield "alias live", f"version {facts.alias.version}, {shares}"
    for image in (facts.live_image, facts.refused_image):
        if image:
            yield f"image {image.digest[:19]}…", _findings(image)
    yield from _deployments(diagnosis)
    if isinstance(facts.logs, LogFacts):
        count = len(facts.logs.lines)
        yield (
            f"log of the last {facts.logs.minutes} minutes",
            f"{count or 'no'} failure line{'' if count == 1 else 's'}",
        )
    elif facts.logs is ABSENT:
        yield "log", "there is none"
    if facts.table is not None:
        yield f"table {names.table}", "there is none" if facts.table is ABSENT else str(facts.table)
    if facts.alarms is not None:
        yield "alarms", ", ".join(alarm.name for alarm in facts.alarms) or "none in ALARM"
    if facts.invocation is not None:
        proof = "answered as expected" if answers(facts.invocation) else "failed"
        yield "invocation of live", proof


def _deployments(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    deployment = diagnosis.facts.deployment
    if isinstance(deployment, DeploymentFacts):
        yield f"CodeDeploy {deployment.id}", deployment.status
    for note in diagnosis.notes:
        yield note.source, note.text


def _findings(image: ImageFacts) -> str:
    rules = ", ".join(dict.fromkeys(finding.rule for finding in image.errors))
    return f"check finds {rules}" if rules else "check finds no problems"


def _wrapped(text: str, indent: int = 4) -> list[str]:
    width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
    return textwrap.wrap(
        printable(text),
        width=width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent if indent else 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
