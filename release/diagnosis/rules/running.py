"""Rules for a version that runs and fails: memory, time, variables, exceptions."""

import re
from collections.abc import Iterator
from typing import Final

from release.diagnosis.cause import FailureCause, Remedy, seen
from release.diagnosis.log_lines import INIT_TIMED_OUT, OUT_OF_MEMORY, SERVER_ERROR, TIMED_OUT
from release.diagnosis.remedies import deploy_with, release_command, roll_back
from release.diagnosis.rules.handler import IMPORT_ERRORS
from release.diagnosis.rules.native import is_native_fault
from release.diagnosis.rules.read_only import is_read_only
from release.diagnosis.rules.start_failures import PERMISSION_DENIED
from release.diagnosis.version_facts import Symptom, VersionFacts, evidence_of

_MAX_TIMEOUT_SECONDS: Final = 29
_MAX_MEMORY_MB: Final = 10240
_MISSING: Final = re.compile(r"'(?P<name>[A-Z][A-Z0-9_]+)'")
_FAILURES_OF_AWS: Final = ("Runtime.", "Extension.", "Sandbox.", "Function.")


def out_of_memory(version: VersionFacts) -> Iterator[FailureCause]:
    """Lambda may also report it as a timeout, of an environment whose memory was full."""
    symptoms = version.with_(_is_memory)
    if not symptoms:
        return
    if any(symptom.memory_is_full for symptom in symptoms):
        symptoms += version.with_(lambda one: one.type == TIMED_OUT and not one.memory_is_full)
    memory = version.function.memory_mb if version.function else version.stage.settings.memory_mb
    more = min(memory * 2, _MAX_MEMORY_MB)
    yield FailureCause(
        name="out-of-memory",
        title=f"The function runs out of its {memory} MB of memory",
        likelihood=version.likelihood(symptoms),
        error_type=symptoms[0].type,
        evidence=evidence_of(symptoms),
        fix=(
            deploy_with(
                version.stage, f"memoryMb: {more} in cdk.json, context.stages.{version.stage.name}"
            ),
            *_way_back(version, "if it began with the last deployment"),
        ),
        explanation="The kernel ends the process (signal: killed): no exception, no log line of"
        " the code's own. Where all memory is used and the status is timeout, it is memory too.",
    )


def takes_too_long(version: VersionFacts) -> Iterator[FailureCause]:
    """An invocation that Lambda cut off."""
    symptoms = version.with_(
        lambda symptom: symptom.type == TIMED_OUT and not symptom.memory_is_full
    )
    if not symptoms:
        return
    # Memory that is full explains it.
    is_memory = bool(version.with_(_is_memory))
    seconds = version.function.timeout_seconds if version.function else 0
    settings = version.stage.settings.timeout_seconds
    yield FailureCause(
        name="timeout",
        title=f"An invocation takes longer than the {seconds or settings} s of its timeout",
        likelihood="possible" if is_memory else version.likelihood(symptoms),
        error_type=TIMED_OUT,
        evidence=evidence_of(symptoms),
        fix=(
            Remedy("find what it waits for: X-Ray has the trace of a slow request"),
            deploy_with(
                version.stage,
                f"timeoutSeconds in cdk.json, context.stages.{version.stage.name} (it is"
                f" {seconds or settings}; the API waits 30 s, so at most {_MAX_TIMEOUT_SECONDS})",
            ),
            *_way_back(version, "if it began with the last deployment"),
        ),
        explanation="Every operation of the function is bounded to less than its timeout, so"
        " something outside of it is slow: a network without a way to DynamoDB, or too small a"
        " share of a CPU.",
    )


def init_takes_too_long(version: VersionFacts) -> Iterator[FailureCause]:
    """Lambda gives an init 10 seconds."""
    symptoms = version.of_type(INIT_TIMED_OUT)
    if not symptoms:
        return
    yield FailureCause(
        name="init-timeout",
        title="The image starts, but does not ask for its first event in time",
        likelihood=version.likelihood(symptoms),
        error_type=INIT_TIMED_OUT,
        rule="D4",
        evidence=evidence_of(symptoms),
        fix=(
            *_way_back(version),
            Remedy("measure how long it takes to start", release_command("boot", version.stage)),
            Remedy("check that ENTRYPOINT runs the runtime client, and not a web server"),
        ),
        explanation="An init has 10 s; then Lambda repeats it within the first invocation.",
    )


def variable_is_missing(version: VersionFacts) -> Iterator[FailureCause]:
    """A variable that the code asks for while it is imported, and that is not set."""
    found = [
        (symptom, match["name"])
        for symptom in version.symptoms
        if symptom.type == "KeyError" and (match := _MISSING.search(symptom.message))
    ]
    if not found:
        return
    name = found[0][1]
    symptoms = tuple(symptom for symptom, missing in found if missing == name)
    is_set = bool(version.function and name in version.function.variables)
    evidence = evidence_of(symptoms)
    if version.function:
        names = ", ".join(sorted(version.function.variables)) or "none"
        evidence += (seen("GetFunction", f"variables of the function: {names}"),)
    yield FailureCause(
        name="variable-missing",
        title=f"The variable {name} is {'set now, but was not then' if is_set else 'not set'}",
        likelihood="possible" if is_set else version.likelihood(symptoms),
        error_type="KeyError",
        evidence=evidence,
        fix=(
            *_way_back(version),
            deploy_with(version.stage, f"set {name} for the function in stacks/rooms_stack.py"),
        ),
        explanation="It is raised while the handler's module is imported, so Lambda's own lines may"
        " only say Runtime.Unknown or Runtime.ExitError. This is not Runtime.InvalidEntrypoint.",
    )


def code_raises(version: VersionFacts) -> Iterator[FailureCause]:
    """An exception that nothing above explains: a bug, most likely."""
    is_variable = any(_MISSING.search(one.message) for one in version.of_type("KeyError"))
    symptoms = version.with_(
        lambda one: (
            _is_exception(one)
            and not (one.type == "KeyError" and is_variable)
            and not is_native_fault(version, one)
        )
    )
    if not symptoms:
        return
    yield FailureCause(
        name="exception",
        title=f"The code raises {symptoms[0].type}",
        likelihood=version.likelihood(symptoms),
        error_type=symptoms[0].type,
        evidence=evidence_of(symptoms),
        fix=(
            *_way_back(version),
            Remedy(
                "read its traceback",
                f"aws logs tail /aws/lambda/{version.facts.function_name} --since 1h"
                f" --region {version.stage.region}",
            ),
        ),
    )


def _is_memory(symptom: Symptom) -> bool:
    return (
        symptom.type in (OUT_OF_MEMORY, "MemoryError")
        or symptom.memory_is_full
        or symptom.has("signal: killed")
    )


def _is_exception(symptom: Symptom) -> bool:
    known = ("", SERVER_ERROR, "MemoryError", "PermissionError", *IMPORT_ERRORS)
    is_own = symptom.type not in known and not symptom.type.startswith(_FAILURES_OF_AWS)
    return is_own and not (is_read_only(symptom) or symptom.has(*PERMISSION_DENIED))


def _way_back(version: VersionFacts, when: str = "") -> tuple[Remedy, ...]:
    if not version.is_live:
        return ()
    back = roll_back(version.stage)
    return (Remedy(f"{back.text}, {when}", back.command) if when else back,)
