"""A diagnosis, for people and for pipelines."""

import json
import shutil
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import typer

from imagecheck.terminal import printable
from release.diagnosis.cause import Cause
from release.diagnosis.causes import Diagnosis
from release.diagnosis.facts import (
    ABSENT,
    AliasFacts,
    DeploymentFacts,
    FunctionFacts,
    ImageFacts,
    LogFacts,
    StackFacts,
    answers,
)

_MAX_WIDTH: Final = 100
_COLOURS: Final = {
    "certain": typer.colors.RED,
    "likely": typer.colors.RED,
    "possible": typer.colors.YELLOW,
}


def as_json(diagnosis: Diagnosis) -> str:
    """Return what ``--json`` prints.

    ``{"stage", "function", "verdict", "causes": [{"name", "title", "likelihood", "evidence":
    [{"source", "text"}], "fix": [{"text",
    "command"}], "error_type", "rule", "explanation"}], "looked_at":
    [{"source", "found"}], "could_not_look": [{"source", "why"}]}``. The verdict is ``works``,
    ``broken`` (there is a cause), ``nothing found`` (it was not to be invoked) or ``unknown`` (too
    little could be seen). The most likely cause comes first; ``likelihood`` is ``certain``,
    ``likely`` or ``possible``. Where live was seen to fail, what is wrong with live comes before a
    version that was refused (``refused-…``, ``deployment-…``), however sure that is. A refused
    version is no cause any more once live works and both the lock file and the release parameter
    name what is live: then it is told under ``looked_at``, as ``last deployment``. ``error_type``
    is Lambda's name of it and ``rule`` that of the catalogue; both may be empty.
    """
    facts = diagnosis.facts
    document: dict[str, Any] = {
        "stage": facts.stage.name,
        "function": facts.function_name,
        "verdict": diagnosis.verdict,
        "causes": diagnosis.causes,
        "looked_at": [
            {"source": source, "found": found} for source, found in _looked_at(diagnosis)
        ],
        "could_not_look": [{"source": one.source, "why": one.why} for one in facts.unseen],
    }
    text = json.dumps(msgspec.to_builtins(document), indent=2, ensure_ascii=False)
    # Terminals obey more characters than JSON has to escape, and json.dumps escapes all but ASCII.
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def as_text(diagnosis: Diagnosis) -> str:
    """Return what a person reads, coloured; typer takes the colours out where there is none."""
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
    yield "looked at"
    for source, found in _looked_at(diagnosis):
        yield from _wrapped(f"{source}: {found}", indent=2)
    if facts.unseen:
        yield "could not look"
        for unseen in facts.unseen:
            yield from _wrapped(f"{unseen.source}: {unseen.why}", indent=2)


def _headline(diagnosis: Diagnosis) -> str:
    facts = diagnosis.facts
    match diagnosis.verdict:
        case "works":
            text, colour = "it works", typer.colors.GREEN
        case "nothing found":
            text = "nothing wrong was found; it was not invoked, so that is no proof"
            colour = typer.colors.GREEN
        case "unknown":
            text = "no cause was found, but too little could be seen to say that it works"
            colour = typer.colors.YELLOW
        case _:
            if facts.works_now:
                text = "live answers, but something is wrong"
            elif facts.invocation is not None:
                text = "it does not work"
            else:
                text = "something is wrong"
            colour = typer.colors.RED
    return typer.style(text, fg=colour, bold=True)


def _cause(cause: Cause) -> Iterator[str]:
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


def _looked_at(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    """Yield what was seen, in a few words each."""
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
            f"{count or 'no'} line{'' if count == 1 else 's'} of failures",
        )
    elif facts.logs is ABSENT:
        yield "log", "there is none"
    if facts.table is not None:
        yield f"table {names.table}", "there is none" if facts.table is ABSENT else str(facts.table)
    if facts.alarms is not None:
        yield "alarms", ", ".join(alarm.name for alarm in facts.alarms) or "none rings"
    if facts.invocation is not None:
        proof = "answered as it should" if answers(facts.invocation) else "did not work"
        yield "invocation of live", proof


def _deployments(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    deployment = diagnosis.facts.deployment
    if isinstance(deployment, DeploymentFacts):
        yield f"CodeDeploy {deployment.id}", deployment.status
    for note in diagnosis.notes:
        yield note.source, note.text


def _findings(image: ImageFacts) -> str:
    rules = ", ".join(dict.fromkeys(finding.rule for finding in image.errors))
    return f"check finds {rules}" if rules else "check finds nothing that stops it"


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
