"""An image that Lambda cannot use, in its own words: from state, last change and stack events."""

from dataclasses import replace
from typing import Any

import pytest

from release.diagnosis.diagnose import diagnose
from release.diagnosis.facts import ABSENT, FailedResource, StackFacts, StageFacts
from release.diagnosis.image_faults import ImageFault, image_fault
from release.diagnosis.outcome import TurnedAway
from release.diagnosis.report import as_text
from tests.support.release.diagnosis_situations import (
    BAD,
    BAD_PIN,
    FUNCTION,
    REPOSITORY,
    WORKS,
    image,
)

FOLDERS = "MissingParentDirectory: Parent directory does not exist for file: zipp/__init__.py"
LAYERS = f"ImageLayerFailure: UnsupportedImageLayerDetected - Layer Digest {BAD}"
SIZE = "SizeLimitExceeded: Uncompressed container image size exceeds 10 GiB limit"
MEDIA_TYPES = (
    f"The image manifest, config or layer media type for the source image {REPOSITORY}@{BAD} is"
    " not supported."
)
FAULTS = [
    (FOLDERS, "B11"),
    (LAYERS, "B4"),
    (SIZE, "B6"),
    (MEDIA_TYPES, "B2"),
    ("SomethingNobodyHasReported: -", ""),
]
every_fault = pytest.mark.parametrize(("said", "rule"), FAULTS)


def stabilizing(said: str) -> FailedResource:
    return FailedResource(
        "Function1",
        "AWS::Lambda::Function",
        "UPDATE_FAILED",
        'Resource handler returned message: "Lambda function hima-five-bomber-dev-rooms reached'
        f' terminal FAILED state due to InvalidImage({said}) and failed to stabilize"'
        " (RequestToken: 0-1, HandlerErrorCode: NotStabilized)",
    )


def of_live(**function: Any) -> StageFacts:
    away = TurnedAway("ResourceConflictException", "", "The function is not Active")
    return replace(WORKS, live=replace(FUNCTION, **function), invocation=away)


def said_of(facts: StageFacts) -> str:
    return " ".join(as_text(diagnose(facts)).split())


@every_fault
@pytest.mark.parametrize("of", ["state", "update"])
def test_the_fault_of_a_live_image_is_named_and_not_deployed_again(
    said: str, rule: str, of: str
) -> None:
    facts = (
        of_live(state="Failed", state_code="InvalidImage", state_reason=said)
        if of == "state"
        else of_live(update_status="Failed", update_code="InvalidImage", update_reason=said)
    )
    first = diagnose(facts).causes[0]

    assert (first.rule, first.likelihood, first.error_type) == (rule, "certain", "InvalidImage")
    assert said in first.evidence[0].text
    text = said_of(facts)
    assert "python -m release build dev" in text
    assert "deploy again" not in text
    assert "release deploy" not in text


@every_fault
def test_the_fault_of_a_new_version_is_read_from_the_events_of_the_stack(
    said: str, rule: str
) -> None:
    stack = StackFacts("UPDATE_ROLLBACK_COMPLETE", failures=(stabilizing(said),))
    facts = replace(WORKS, stack=stack, pin=BAD_PIN)
    first = diagnose(facts).causes[0]

    assert first.rule == rule
    assert first.name == f"refused-image-{rule.lower() or 'invalid'}"
    assert first.title.startswith("The new version was rolled back: ")
    assert "release deploy" not in said_of(facts)


@every_fault
def test_the_fault_of_a_first_image_is_named_with_the_way_from_there(said: str, rule: str) -> None:
    facts = replace(
        WORKS,
        stack=StackFacts("ROLLBACK_COMPLETE", failures=(stabilizing(said),)),
        latest=ABSENT, live=ABSENT, alias=ABSENT, invocation=None, table=ABSENT,
    )  # fmt: skip
    [cause] = diagnose(facts).causes

    assert (cause.name, cause.rule) == ("stack-stuck", rule)
    commands = [remedy.command for remedy in cause.fix if remedy.command]
    assert commands[0].startswith("python -m release build dev && python -m release check oci:")
    assert "delete-stack" in commands[1]
    assert commands[2] == "python -m release ship dev"


def test_media_types_that_the_call_itself_refuses_are_named_too() -> None:
    failure = FailedResource("F", "AWS::Lambda::Function", "UPDATE_FAILED", MEDIA_TYPES)
    stack = StackFacts("UPDATE_ROLLBACK_COMPLETE", failures=(failure,))
    facts = replace(WORKS, stack=stack, pin=BAD_PIN)
    [cause] = diagnose(facts).causes

    assert (cause.name, cause.rule) == ("deployment-refused", "B2")
    assert "--provenance=false" in cause.fix[0].text


def test_what_check_finds_in_the_image_says_more_than_lambda() -> None:
    facts = replace(
        of_live(state="Failed", state_code="InvalidImage", state_reason=LAYERS),
        live_image=image("B11", "layer 2 has var/task/a.py, but no folder var/task"),
    )
    [first, *rest] = diagnose(facts).causes

    assert (first.name, first.likelihood) == ("image-b11", "certain")
    assert "no folder var/task" in first.evidence[0].text
    assert any(LAYERS in evidence.text for evidence in first.evidence)
    assert [cause.name for cause in rest if cause.name.startswith("image-")] == []


@pytest.mark.parametrize(
    ("code", "again", "shows"),
    [
        ("InternalError", True, "passes"),
        ("InsufficientCapacity", True, "passes"),
        ("InvalidSubnet", False, "--revert-drift"),
        ("EFSMountFailure", False, "--revert-drift"),
        ("ServiceQuotaExceededException", False, "list-service-quotas"),
        ("FunctionError.InitTimeout", False, "release boot dev"),
        ("InvalidConfiguration", False, "change what the reason names"),
        ("ACodeOfTomorrow", False, "change what the reason names"),
    ],
)
def test_only_what_passes_by_itself_is_deployed_again_as_it_is(
    code: str, again: bool, shows: str
) -> None:
    text = said_of(of_live(update_status="Failed", update_code=code, update_reason="so it says"))

    assert ("python -m release deploy dev" in text) is again
    assert shows in text


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("MissingParentDirectory", "B11"),
        ("parent directory does not exist for file: a/b", "B11"),
        ("ImageLayerFailure: Unknown", "B4"),
        ("Image size exceeds the limit", "B6"),
    ],
)
def test_parts_of_the_words_are_enough(words: str, rule: str) -> None:
    assert image_fault(words) == ImageFault(rule)
    assert image_fault("Resource creation cancelled") is None
