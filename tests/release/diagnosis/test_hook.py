"""A pre-traffic hook that fails itself, or never reports: no fault of the image."""

from dataclasses import replace
from typing import Any

import pytest

from release.diagnosis.diagnose import diagnose
from release.diagnosis.facts import AlarmFacts, DeploymentFacts, HookFacts, StageFacts
from release.diagnosis.report import as_text
from tests.support.release.diagnosis_situations import IMAGE, WORKS, image, line, refused

IN_VAIN = (
    "The deployment timed out while waiting for a status callback. CodeDeploy expects a status"
    " callback within one hour after a deployment hook is invoked."
)
NOT_ALLOWED = line(
    '{"level": "ERROR", "errorType": "ClientError", "errorMessage": "An error occurred'
    " (AccessDeniedException) when calling the PutLifecycleEventHookExecutionStatus operation: User"
    ' is not authorized to perform: codedeploy:PutLifecycleEventHookExecutionStatus"}'
)
TOO_LONG = line("2026-11-25T01:00:00Z 1-2 Task timed out after 180.00 seconds")


def stopped(hook: HookFacts | None, **deployment: Any) -> StageFacts:
    facts = refused("", IMAGE)(WORKS)
    assert isinstance(facts.deployment, DeploymentFacts)
    return replace(
        facts,
        hook=hook,
        deployment=replace(facts.deployment, **deployment),
        alarms=(AlarmFacts("hima-five-bomber-dev-api-5xx"),),
    )


@pytest.mark.parametrize(
    ("hook", "deployment", "name", "likelihood"),
    [
        (None, {"message": IN_VAIN}, "hook-silent", "certain"),
        (None, {"code": "TIMEOUT", "message": "", "events": ()}, "hook-silent", "certain"),
        (HookFacts(""), {"message": IN_VAIN}, "hook-silent", "certain"),
        (HookFacts("Succeeded"), {"message": IN_VAIN}, "hook-silent", "certain"),
        (HookFacts("Succeeded"), {}, "hook-silent", "likely"),
        (HookFacts(""), {}, "hook-silent", "likely"),
        (HookFacts(""), {"events": ()}, "hook-silent", "likely"),
        (HookFacts(""), {"code": "IAM_ROLE_PERMISSIONS", "events": ()}, "hook-silent", "likely"),
        (
            HookFacts("Failed", "hook", "the hook itself failed: KeyError"),
            {},
            "hook-failed",
            "certain",
        ),
    ],
)
def test_the_hook_is_at_fault_and_not_the_image(
    hook: HookFacts | None, deployment: dict[str, Any], name: str, likelihood: str
) -> None:
    facts = stopped(hook, **deployment)
    [cause] = diagnose(facts).causes

    assert (cause.name, cause.likelihood) == (name, likelihood)
    assert "live still answers from version 3" in cause.explanation
    text = " ".join(as_text(diagnose(facts)).split())
    for shown in (
        "/aws/lambda/hima-five-bomber-dev-pre-traffic-hook",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
        "VpcConfig",
        "python -m release deploy dev",
        "d-NEW",
    ):
        assert shown in text
    assert "release build" not in text


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ((NOT_ALLOWED,), ": a permission is missing"),
        ((TOO_LONG,), ": it waited for something in vain, as without a network"),
        ((), "CodeDeploy"),
    ],
)
def test_its_log_tells_why(lines: tuple[Any, ...], why: str) -> None:
    [cause] = diagnose(stopped(HookFacts("", lines=lines), message=IN_VAIN)).causes

    assert cause.title.endswith(why)
    shown = " ".join(evidence.text for evidence in cause.evidence)
    assert all(one.message in shown for one in lines)


def test_what_the_hook_found_wrong_with_the_version_stays_its_fault() -> None:
    facts = refused("Runtime.InvalidEntrypoint: ProcessSpawnFailed", image("C1"))(WORKS)

    assert [cause.name for cause in diagnose(facts).causes] == ["refused-image-c1"]


def test_a_log_that_cannot_be_read_accuses_nobody() -> None:
    [cause] = diagnose(stopped(None)).causes

    assert cause.name == "deployment-refused"


def test_an_alarm_that_stopped_it_is_none_of_the_hooks_faults() -> None:
    """The hook has succeeded, as it does before every shift."""
    facts = stopped(HookFacts("Succeeded"), code="ALARM_ACTIVE", message="", events=())

    assert diagnose(facts).causes[0].name == "deployment-stopped-by-alarm"


def test_what_check_finds_in_the_image_comes_behind_it() -> None:
    facts = replace(
        stopped(HookFacts(""), message=IN_VAIN),
        refused_image=replace(image("C1"), reference="r@sha256:" + "b" * 64),
    )
    names = [cause.name for cause in diagnose(facts).causes]

    assert names == ["hook-silent", "refused-image-c1"]
