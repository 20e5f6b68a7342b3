"""The gate that stopped a deployment, and the cause."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from config.project import Stage
from imagecheck.errors import FailedError
from imagecheck.image.aws import aws_errors
from release.deploy.live import ALIAS
from release.deploy.stack_events import StackEvent, first_failure

HOOK: Final = "the pre-traffic hook"
ALARM: Final = "an alarm"
CODE_DEPLOY: Final = "CodeDeploy"
CLOUD_FORMATION: Final = "CloudFormation"

_AT_FAULT: Final = (
    "the hook, its permission (codedeploy:PutLifecycleEventHookExecutionStatus) or its network is"
    " at fault, and not the image"
)
_DEPLOYMENT_ID = re.compile(r"\bd-[A-Z0-9]{9}\b")
_STATUSES: Final = ("Failed", "Succeeded")
_NAME = re.compile(r"[\w.-]+")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Stopped:
    """Which gate stopped a deployment, and why."""

    gate: str
    cause: str


@dataclass(frozen=True)
class _Said:
    """What the hook has logged of a deployment: ``Failed`` or ``Succeeded``, or nothing at all."""

    status: str
    text: str = ""


def what_stopped(
    stage: Stage, events: Sequence[StackEvent], outputs: Mapping[str, str]
) -> Stopped | None:
    """Read out of a deployment's stack events, CodeDeploy and the hook's log what stopped it.

    None: CloudFormation did not fail. ``outputs`` are the stack's. What cannot be asked is left
    out, since CloudFormation's own words are there already.
    """
    failure = first_failure(events)
    if failure is None:
        return None
    return (
        failure.type == "AWS::Lambda::Alias" and _stopped_shift(stage, events, outputs)
    ) or Stopped(CLOUD_FORMATION, f"{failure.logical_id} ({failure.type}): {failure.reason}")


def is_without_report(code: str, message: str) -> bool:
    """Whether CodeDeploy has waited for the hook's report in vain, by its error.

    https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-ecs.html#troubleshooting-ecs-timeout-callback
    """
    return code == "TIMEOUT" or "status callback" in message


def names_in(message: str) -> frozenset[str]:
    """Return the words of a message that can be names of alarms."""
    return frozenset(word.strip(".") for word in _NAME.findall(message))


def _stopped_shift(
    stage: Stage, events: Sequence[StackEvent], outputs: Mapping[str, str]
) -> Stopped | None:
    """Read what stopped CodeDeploy; None when it does not say."""
    began = events[0].at
    deployment = _if_answered(lambda: _deployment(stage, outputs, events, began)) or {}
    error = deployment.get("errorInformation") or {}
    code, message = error.get("code"), error.get("message", "")
    if code == "ALARM_ACTIVE":
        alarms = _if_answered(lambda: _alarms(stage, outputs, message))
        return Stopped(ALARM, message + (f" (in ALARM: {', '.join(alarms)})" if alarms else ""))
    is_silent = is_without_report(code or "", message)
    if code not in {None, "HOOK_EXECUTION_FAILURE"} and not is_silent:
        return Stopped(CODE_DEPLOY, f"{code}: {message}")
    said = _if_answered(lambda: _said(stage, outputs, began, deployment.get("deploymentId")))
    if said and said.status == "Failed":
        return Stopped(HOOK, said.text)
    if code is None:
        return None
    group = _hook_log_group(stage, outputs)
    if said is None and not is_silent:
        return Stopped(HOOK, f"it does not say why; its log group is {group}")
    what = (
        "it found nothing wrong, and its report did not arrive"
        if said and said.status
        else ("it did not run, or could not report")
    )
    return Stopped(HOOK, f"{what}: {_AT_FAULT}; its log group is {group}")


def _deployment(
    stage: Stage, outputs: Mapping[str, str], events: Sequence[StackEvent], began: datetime
) -> Mapping[str, Any]:
    """Return what GetDeployment says of the deployment that CloudFormation started.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_DeploymentInfo.html
    """
    codedeploy = stage.client("codedeploy")
    named = [match[0] for event in events if (match := _DEPLOYMENT_ID.search(event.reason))]
    with aws_errors(CODE_DEPLOY):
        if not named:
            named = codedeploy.list_deployments(
                **_group(stage, outputs), createTimeRange={"start": began}
            )["deployments"]
        if not named:
            return {}
        info: Mapping[str, Any] = codedeploy.get_deployment(deploymentId=named[0])["deploymentInfo"]
    return info


def _said(
    stage: Stage, outputs: Mapping[str, str], began: datetime, deployment_id: str | None
) -> _Said:
    """Return what the hook's log has of the deployment: its last refusal since then, if any."""
    logs = stage.client("logs")
    with aws_errors("the hook's log"):
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=_hook_log_group(stage, outputs),
            startTime=int(began.timestamp() * 1000),
            filterPattern='{ $.message = "pre-traffic hook" }',
        )
        lines = [event["message"] for page in pages for event in page["events"]]
    found = _Said("")
    for line in reversed(lines):
        try:
            said = json.loads(line)
            if said["message"] != "pre-traffic hook" or said["status"] not in _STATUSES:
                continue
            if deployment_id not in {None, said.get("deploymentId", deployment_id)}:
                continue
            if said["status"] == "Failed":
                return _Said("Failed", f"{said['step']}: {said['found']}")
            found = _Said("Succeeded")
        except (ValueError, TypeError, KeyError):
            continue
    return found


def _hook_log_group(stage: Stage, outputs: Mapping[str, str]) -> str:
    # A first deployment that failed has no outputs.
    return outputs.get("HookLogGroup", f"/aws/lambda/{stage.names.prefix}-pre-traffic-hook")


def _alarms(stage: Stage, outputs: Mapping[str, str], message: str) -> list[str]:
    """Return those that ring of the alarms that can have stopped it: others are no reason."""
    stopping = {*names_in(message), *(_if_answered(lambda: _alarms_of_group(stage, outputs)) or ())}
    cloudwatch = stage.client("cloudwatch")
    with aws_errors("CloudWatch"):
        answer = cloudwatch.describe_alarms(
            AlarmNamePrefix=f"{stage.names.prefix}-", StateValue="ALARM"
        )
    ringing = [str(alarm["AlarmName"]) for alarm in answer["MetricAlarms"]]
    return [name for name in ringing if name in stopping]


def _alarms_of_group(stage: Stage, outputs: Mapping[str, str]) -> list[str]:
    codedeploy = stage.client("codedeploy")
    with aws_errors(CODE_DEPLOY):
        answer = codedeploy.get_deployment_group(**_group(stage, outputs))
    alarms = (answer["deploymentGroupInfo"].get("alarmConfiguration") or {}).get("alarms", [])
    return [alarm["name"] for alarm in alarms]


def _group(stage: Stage, outputs: Mapping[str, str]) -> dict[str, str]:
    return {
        "applicationName": outputs.get("DeploymentApplication", stage.names.function),
        "deploymentGroupName": outputs.get("DeploymentGroup", ALIAS),
    }


def _if_answered(ask: Callable[[], _T]) -> _T | None:
    try:
        return ask()
    except FailedError:
        return None
