"""What goes wrong once a version runs: memory, time, variables, and exceptions."""

import re
from collections.abc import Iterator
from typing import Final

from release.diagnosis.case import Case, Symptom, evidence_of
from release.diagnosis.cause import (
    Cause,
    Remedy,
    deploy_with,
    release_command,
    roll_back,
    seen,
)
from release.diagnosis.log_lines import INIT_TIMED_OUT, OUT_OF_MEMORY, SERVER_ERROR, TIMED_OUT

_MAX_TIMEOUT_SECONDS: Final = 29
_MAX_MEMORY_MB: Final = 10240
_MISSING: Final = re.compile(r"'(?P<name>[A-Z][A-Z0-9_]+)'")
_FAILURES_OF_AWS: Final = ("Runtime.", "Extension.", "Sandbox.", "Function.")


def out_of_memory(case: Case) -> Iterator[Cause]:
    """D7. Lambda may also report it as a timeout, of an environment whose memory was full."""
    symptoms = case.with_(_is_memory)
    if not symptoms:
        return
    if any(symptom.memory_is_full for symptom in symptoms):
        symptoms += case.with_(lambda one: one.type == TIMED_OUT and not one.memory_is_full)
    memory = case.function.memory_mb if case.function else case.stage.settings.memory_mb
    more = min(memory * 2, _MAX_MEMORY_MB)
    yield Cause(
        name="out-of-memory",
        title=f"The function runs out of its {memory} MB of memory",
        likelihood=case.likelihood(symptoms),
        error_type=symptoms[0].type,
        evidence=evidence_of(symptoms),
        fix=(
            deploy_with(
                case.stage, f"memoryMb: {more} in cdk.json, context.stages.{case.stage.name}"
            ),
            *_way_back(case, "if it began with the last deployment"),
        ),
        explanation="The kernel ends the process (signal: killed): no exception, no log line of"
        " the code's own. Where all memory is used and the status is timeout, it is memory too.",
    )


def takes_too_long(case: Case) -> Iterator[Cause]:
    """An invocation that Lambda cut off."""
    symptoms = case.with_(lambda symptom: symptom.type == TIMED_OUT and not symptom.memory_is_full)
    if not symptoms:
        return
    # Memory that is full explains it.
    is_memory = bool(case.with_(_is_memory))
    seconds = case.function.timeout_seconds if case.function else 0
    settings = case.stage.settings.timeout_seconds
    yield Cause(
        name="timeout",
        title=f"An invocation takes longer than the {seconds or settings} s that it may take",
        likelihood="possible" if is_memory else case.likelihood(symptoms),
        error_type=TIMED_OUT,
        evidence=evidence_of(symptoms),
        fix=(
            Remedy("see what it waits for: X-Ray has the trace of a slow request"),
            deploy_with(
                case.stage,
                f"timeoutSeconds in cdk.json, context.stages.{case.stage.name} (it is"
                f" {seconds or settings}; the API waits 30 s, so at most {_MAX_TIMEOUT_SECONDS})",
            ),
            *_way_back(case, "if it began with the last deployment"),
        ),
        explanation="Every operation of the function is bounded to less than its timeout, so"
        " something outside of it is slow: a network without a way to DynamoDB, or too small a"
        " share of a CPU.",
    )


def init_takes_too_long(case: Case) -> Iterator[Cause]:
    """Lambda gives an init 10 seconds."""
    symptoms = case.of_type(INIT_TIMED_OUT)
    if not symptoms:
        return
    yield Cause(
        name="init-timeout",
        title="The image starts, but never asks for its first event in time",
        likelihood=case.likelihood(symptoms),
        error_type=INIT_TIMED_OUT,
        rule="D4",
        evidence=evidence_of(symptoms),
        fix=(
            *_way_back(case),
            Remedy("see how long it takes to be ready", release_command("boot", case.stage)),
            Remedy("see that ENTRYPOINT runs the runtime client, and not a web server"),
        ),
        explanation="An init has 10 s; then it is done again within the first invocation.",
    )


def variable_is_missing(case: Case) -> Iterator[Cause]:
    """A variable that the code asks for while it is imported, and that is not set."""
    found = [
        (symptom, match["name"])
        for symptom in case.symptoms
        if symptom.type == "KeyError" and (match := _MISSING.search(symptom.message))
    ]
    if not found:
        return
    name = found[0][1]
    symptoms = tuple(symptom for symptom, missing in found if missing == name)
    is_set = bool(case.function and name in case.function.variables)
    evidence = evidence_of(symptoms)
    if case.function:
        names = ", ".join(sorted(case.function.variables)) or "none"
        evidence += (seen("GetFunction", f"variables of the function: {names}"),)
    yield Cause(
        name="variable-missing",
        title=f"The variable {name} is {'set now, but was not then' if is_set else 'not set'}",
        likelihood="possible" if is_set else case.likelihood(symptoms),
        error_type="KeyError",
        evidence=evidence,
        fix=(
            *_way_back(case),
            deploy_with(case.stage, f"set {name} for the function in stacks/rooms_stack.py"),
        ),
        explanation="It is raised while the handler's module is imported, so Lambda's own lines may"
        " only say Runtime.Unknown or Runtime.ExitError. This is not Runtime.InvalidEntrypoint.",
    )


def code_raises(case: Case) -> Iterator[Cause]:
    """An exception that nothing above explains: a bug, most likely."""
    is_variable = any(_MISSING.search(one.message) for one in case.of_type("KeyError"))
    symptoms = case.with_(
        lambda one: _is_exception(one) and not (one.type == "KeyError" and is_variable)
    )
    if not symptoms:
        return
    yield Cause(
        name="exception",
        title=f"The code raises {symptoms[0].type}",
        likelihood=case.likelihood(symptoms),
        error_type=symptoms[0].type,
        evidence=evidence_of(symptoms),
        fix=(
            *_way_back(case),
            Remedy(
                "read its stack trace",
                f"aws logs tail /aws/lambda/{case.facts.function_name} --since 1h"
                f" --region {case.stage.settings.region}",
            ),
        ),
    )


RULES = (out_of_memory, takes_too_long, init_takes_too_long, variable_is_missing, code_raises)


def _is_memory(symptom: Symptom) -> bool:
    return (
        symptom.type in (OUT_OF_MEMORY, "MemoryError")
        or symptom.memory_is_full
        or symptom.has("signal: killed")
    )


def _is_exception(symptom: Symptom) -> bool:
    known = ("", SERVER_ERROR, "MemoryError", "PermissionError")
    return symptom.type not in known and not symptom.type.startswith(_FAILURES_OF_AWS)


def _way_back(case: Case, when: str = "") -> tuple[Remedy, ...]:
    if not case.is_live:
        return ()
    back = roll_back(case.stage)
    return (Remedy(f"{back.text}, {when}", back.command) if when else back,)
