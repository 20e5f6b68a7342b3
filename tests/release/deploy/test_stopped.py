"""The gate that stopped a deployment, read from AWS."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from config.project import Stage
from release.deploy.stack_events import StackEvent, first_failure, last_event_id, read_events
from release.deploy.stopped import Stopped, what_stopped
from tests.support.release.deployed_stage import DeployedStage

ALIAS = ("Live12345678", "AWS::Lambda::Alias")
PREFIX = "hima-five-bomber-dev"
ID = "d-ABCDEF123"
FAILED = f"Deployment {ID} failed: Rollback successful"
HOOK_FAILED = "one or more of the lifecycle event validation functions failed."
IN_VAIN = (
    "The deployment timed out while waiting for a status callback. CodeDeploy expects a status"
    " callback within one hour after a deployment hook is invoked."
)
LINE: dict[str, Any] = {
    "deploymentId": ID,
    "status": "Failed",
    "step": "create",
    "found": "Runtime.InvalidEntrypoint",
}


@pytest.fixture
def codedeploy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """CodeDeploy's errors, which moto does not have."""
    client: Any = boto3.client(
        "codedeploy", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    real = Stage.client
    monkeypatch.setattr(
        Stage,
        "client",
        lambda stage, service: client if service == "codedeploy" else real(stage, service),
    )
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def says(codedeploy: Stubber, code: str, message: str = "") -> None:
    info = {"deploymentId": ID, "errorInformation": {"code": code, "message": message}}
    codedeploy.add_response("get_deployment", {"deploymentInfo": info}, {"deploymentId": ID})


def watches(codedeploy: Stubber, *alarms: str) -> None:
    info = {"alarmConfiguration": {"alarms": [{"name": name} for name in alarms]}}
    group = {"applicationName": "hima-five-bomber-dev-rooms", "deploymentGroupName": "live"}
    codedeploy.add_response("get_deployment_group", {"deploymentGroupInfo": info}, group)


def ring(dev: DeployedStage, *alarms: str) -> None:
    cloudwatch = dev.client("cloudwatch")
    for name in alarms:
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            MetricName="Errors",
            Namespace="AWS/Lambda",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")


def stopped(dev: DeployedStage, *failure: str) -> Stopped | None:
    dev.release(dev.push())
    name = dev.stage.names.rooms_stack
    seen = last_event_id(dev.stage, name)
    if failure:
        dev.failed(*failure)
    return what_stopped(dev.stage, read_events(dev.stage, name, after=seen), {})


def test_nothing_failed(dev: DeployedStage) -> None:
    assert stopped(dev) is None


def test_cloudformation(dev: DeployedStage) -> None:
    reason = 'Resource handler returned message: "The image manifest ... is not supported."'

    found = stopped(dev, "Function1", "AWS::Lambda::Function", reason)

    assert found == Stopped("CloudFormation", f"Function1 (AWS::Lambda::Function): {reason}")


def test_the_hook(dev: DeployedStage, codedeploy: Stubber) -> None:
    says(codedeploy, "HOOK_EXECUTION_FAILURE", HOOK_FAILED)
    dev.hook_says(**{**LINE, "deploymentId": "d-OTHER0000", "step": "join"})
    dev.hook_says(**LINE)
    dev.hook_says(**{**LINE, "deploymentId": "d-OTHER1111", "step": "leave"})
    dev.hook_says(**{**LINE, "status": "Succeeded"})

    found = stopped(dev, *ALIAS, FAILED)

    assert found == Stopped("the pre-traffic hook", "create: Runtime.InvalidEntrypoint")


@pytest.mark.proof
def test_a_hook_that_says_nothing(dev: DeployedStage, codedeploy: Stubber) -> None:
    says(codedeploy, "HOOK_EXECUTION_FAILURE", HOOK_FAILED)

    found = stopped(dev, *ALIAS, FAILED)

    assert found == Stopped(
        "the pre-traffic hook",
        "it does not say why; its log group is /aws/lambda/hima-five-bomber-dev-pre-traffic-hook",
    )


@pytest.mark.proof
@pytest.mark.parametrize(
    ("error", "line", "said"),
    [
        (("HOOK_EXECUTION_FAILURE", IN_VAIN), None, "it did not run, or could not report"),
        (("TIMEOUT", ""), None, "it did not run, or could not report"),
        (("TIMEOUT", ""), "d-OTHER0000", "it did not run, or could not report"),
        (("HOOK_EXECUTION_FAILURE", HOOK_FAILED), "d-OTHER0000", "it did not run, or could not"),
        (("HOOK_EXECUTION_FAILURE", HOOK_FAILED), ID, "it found nothing wrong, and its report"),
        (("TIMEOUT", IN_VAIN), ID, "it found nothing wrong, and its report did not arrive"),
    ],
)
def test_a_hook_that_never_reports_is_no_fault_of_the_image(
    dev: DeployedStage, codedeploy: Stubber, error: tuple[str, str], line: str | None, said: str
) -> None:
    says(codedeploy, *error)
    if line:
        dev.hook_says(**{**LINE, "deploymentId": line, "status": "Succeeded"})

    found = stopped(dev, *ALIAS, FAILED)

    assert found
    assert found.gate == "the pre-traffic hook"
    assert found.cause.startswith(said)
    assert "its network is at fault, and not the image" in found.cause
    assert "/aws/lambda/hima-five-bomber-dev-pre-traffic-hook" in found.cause


def test_an_alarm(dev: DeployedStage, codedeploy: Stubber) -> None:
    says(codedeploy, "ALARM_ACTIVE", "One or more alarms have been activated.")
    dev.hook_says(**LINE)  # of an earlier deployment in the same minute
    watches(codedeploy, f"{PREFIX}-version-errors-4", f"{PREFIX}-version-5xx-4")
    ring(
        dev,
        f"{PREFIX}-version-errors-4",
        f"{PREFIX}-api-5xx",
        f"{PREFIX}-version-errors-44",
        "hima-five-bomber-prd-throttles",
    )

    found = stopped(dev, *ALIAS, FAILED)

    assert found == Stopped(
        "an alarm",
        "One or more alarms have been activated. (in ALARM: hima-five-bomber-dev-version-errors-4)",
    )


@pytest.mark.proof
def test_the_alarm_that_the_deployment_itself_names(
    dev: DeployedStage, codedeploy: Stubber
) -> None:
    says(codedeploy, "ALARM_ACTIVE", f"Stopped by [{PREFIX}-version-errors-4].")
    codedeploy.add_client_error("get_deployment_group", "AccessDeniedException")
    ring(dev, f"{PREFIX}-version-errors-4", f"{PREFIX}-api-5xx")

    found = stopped(dev, *ALIAS, FAILED)

    assert found
    assert found.cause.endswith(f" (in ALARM: {PREFIX}-version-errors-4)")


def test_another_word_of_codedeploy(dev: DeployedStage, codedeploy: Stubber) -> None:
    says(codedeploy, "MANUAL_STOP", "Stopped by a person.")

    assert stopped(dev, *ALIAS, FAILED) == Stopped(
        "CodeDeploy", "MANUAL_STOP: Stopped by a person."
    )


def test_a_deployment_that_the_reason_does_not_name(
    dev: DeployedStage, codedeploy: Stubber
) -> None:
    expected = {
        "applicationName": "hima-five-bomber-dev-rooms",
        "deploymentGroupName": "live",
        "createTimeRange": {"start": ANY},
    }
    codedeploy.add_response("list_deployments", {"deployments": [ID]}, expected)
    says(codedeploy, "HOOK_EXECUTION_FAILURE", HOOK_FAILED)
    dev.hook_says(**LINE)

    found = stopped(dev, *ALIAS, "Rollback successful")

    assert found == Stopped("the pre-traffic hook", "create: Runtime.InvalidEntrypoint")


@pytest.mark.proof
def test_codedeploy_may_not_be_asked(dev: DeployedStage, codedeploy: Stubber) -> None:
    codedeploy.add_client_error("get_deployment", "AccessDeniedException")
    dev.hook_says(**LINE)

    found = stopped(dev, *ALIAS, FAILED)

    assert found == Stopped("the pre-traffic hook", "create: Runtime.InvalidEntrypoint")


@pytest.mark.proof
def test_neither_codedeploy_nor_the_log_may_be_asked(
    dev: DeployedStage, codedeploy: Stubber
) -> None:
    codedeploy.add_client_error("get_deployment", "AccessDeniedException")

    assert stopped(dev, *ALIAS, FAILED) == Stopped(
        "CloudFormation", f"Live12345678 (AWS::Lambda::Alias): {FAILED}"
    )


@pytest.mark.proof
def test_what_the_hook_said_of_a_deployment_before_is_not_taken(
    dev: DeployedStage, codedeploy: Stubber
) -> None:
    codedeploy.add_client_error("get_deployment", "AccessDeniedException")
    dev.hook_says(**LINE, at_seconds=-3600)

    found = stopped(dev, *ALIAS, FAILED)

    assert found
    assert found.gate == "CloudFormation"


def test_events_before_a_deployment_are_not_its_own(dev: DeployedStage) -> None:
    dev.release(dev.push())
    name = dev.stage.names.rooms_stack
    dev.failed("Old", "AWS::SNS::Topic", "of yesterday")
    seen = last_event_id(dev.stage, name)
    dev.failed("New", "AWS::SNS::Topic", "of today")

    events = read_events(dev.stage, name, after=seen)
    failure = first_failure(events)

    assert failure
    assert failure.logical_id == "New"
    assert [e.logical_id for e in events if e.type != "AWS::CloudFormation::Stack"] == [
        "New",
        "Other",
    ]
    assert read_events(dev.stage, name)[0].status == "CREATE_IN_PROGRESS"
    assert read_events(dev.stage, "another") == []
    assert last_event_id(dev.stage, "another") is None


def test_what_was_cancelled_for_another_resource_did_not_fail_first() -> None:
    """Events of the same moment come in any order."""

    def event(
        logical_id: str, status: str, reason: str, *, of_the_stack: bool = False
    ) -> StackEvent:
        at = datetime(2026, 11, 25, tzinfo=UTC)
        return StackEvent(logical_id, at, logical_id, "T", status, reason, of_the_stack)

    cancelled = event("A", "CREATE_FAILED", "Resource creation cancelled")
    stack = event("S", "UPDATE_FAILED", "of the stack", of_the_stack=True)
    rollback = event("S", "ROLLBACK_IN_PROGRESS", "failed: [B]", of_the_stack=True)
    failed = event("B", "UPDATE_FAILED", "no")

    assert first_failure([cancelled, stack, failed, rollback]) == failed
    assert first_failure([cancelled, stack, rollback]) == stack
    assert first_failure([cancelled, rollback]) == rollback
    assert first_failure([event("A", "UPDATE_COMPLETE", "")]) is None


def test_the_last_event_costs_one_page(dev: DeployedStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack has hundreds of events after some months."""
    client: Any = boto3.client(
        "cloudformation", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    monkeypatch.setattr(Stage, "client", lambda *_: client)
    events = [
        {"EventId": id_, "StackId": "s", "StackName": "s", "Timestamp": datetime.now(UTC)}
        for id_ in ("newest", "older")
    ]
    with Stubber(client) as stubber:
        # A second request would find no answer.
        page = {"StackEvents": events, "NextToken": "more"}
        stubber.add_response("describe_stack_events", page, {"StackName": "s"})
        assert last_event_id(dev.stage, "s") == "newest"
