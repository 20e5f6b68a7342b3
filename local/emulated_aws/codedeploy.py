"""CodeDeploy's deployments of Lambda functions: alarms and the hook decide whether the alias moves.

All traffic moves at once, whatever the deployment configuration says. A hook that ends without a
report has failed (CodeDeploy waits for an hour). AfterAllowTraffic is not emulated.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-lambda.html
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from uuid import uuid4

from moto.cloudformation.exceptions import ValidationError
from moto.cloudwatch.models import cloudwatch_backends
from moto.codedeploy import responses
from moto.codedeploy.exceptions import DeploymentDoesNotExistException
from moto.codedeploy.models import DeploymentInfo, codedeploy_backends
from moto.core.responses import ActionResult
from moto.core.utils import utcnow

from local.emulated_aws.account import ACCOUNT_LOCK
from local.emulated_aws.patching import Patch

RunHook = Callable[[str, bytes], object]
"""Runs a function, by ARN or name, on an event (JSON); its answer is ignored."""

# CodeDeploy's errors for a hook that reports Failed, or nothing, and for an alarm.
HOOK_FAILED = (
    "HOOK_EXECUTION_FAILURE",
    "The deployment failed because one or more of the lifecycle event validation functions failed.",
)
ALARM_ACTIVE = (
    "ALARM_ACTIVE",
    "One or more alarms have been activated according to the Amazon CloudWatch metrics you"
    " selected, and the affected deployments have been stopped.",
)

_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_ID_LENGTH = 9


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A move of an alias from one version to another."""

    application: str
    group: str
    function: str
    alias: str
    current_version: str
    target_version: str


def patches(invoke: RunHook) -> tuple[Patch, ...]:
    """Return patches with what moto's CodeDeploy lacks; ``invoke`` runs hooks."""
    answers = responses.CodeDeployResponse
    return (
        Patch(_Hooks, "invoke", staticmethod(invoke)),
        # What GetDeployment answers.
        Patch(responses, "_deployment_info", _deployment_info),
        Patch(answers, "put_lifecycle_event_hook_execution_status", _put_status),
    )


def deploy(shift: Shift, *, hook: str | None, account_id: str, region: str) -> None:
    """Check the alarms and run the hook; the caller then moves the alias.

    The caller holds the account's lock; the hook runs without it. Raises ValidationError with the
    reason when the alias must stay.
    """
    deployment = _create(shift, hook, account_id, region)
    if _alarms(deployment, account_id, region):
        raise _failed(deployment, "Stopped", *ALARM_ACTIVE)
    if hook and _report_of(hook, deployment) != "Succeeded":
        raise _failed(deployment, "Failed", *HOOK_FAILED)
    deployment.status, deployment.complete_time = "Succeeded", utcnow()


class _Hooks:
    """The running hooks; global to this process, as moto's state is."""

    invoke: ClassVar[RunHook]
    running: ClassVar[dict[str, "_Running"]] = {}


@dataclass
class _Running:
    deployment_id: str
    reported: str | None = None


def _report_of(hook: str, deployment: DeploymentInfo) -> str | None:
    """Run a hook, and return the status that it has reported; None without a report."""
    execution_id = str(uuid4())
    running = _Hooks.running[execution_id] = _Running(deployment.deployment_id)
    event = {
        "DeploymentId": deployment.deployment_id,
        "LifecycleEventHookExecutionId": execution_id,
    }
    try:
        with ACCOUNT_LOCK.released():
            _Hooks.invoke(hook, json.dumps(event).encode())
    finally:
        del _Hooks.running[execution_id]
    return running.reported


def _create(shift: Shift, hook: str | None, account_id: str, region: str) -> DeploymentInfo:
    backend = codedeploy_backends[account_id][region]
    app_spec = {
        "version": 0.0,
        "Resources": [
            {
                shift.function: {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {
                        "Name": shift.function,
                        "Alias": shift.alias,
                        "CurrentVersion": shift.current_version,
                        "TargetVersion": shift.target_version,
                    },
                }
            }
        ],
        "Hooks": [{"BeforeAllowTraffic": hook}] if hook else [],
    }
    created = backend.create_deployment(
        shift.application,
        shift.group,
        {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(app_spec)}},
    )
    deployment = backend.deployments.pop(created)
    deployment.deployment_id = "d-" + "".join(
        secrets.choice(_ID_LETTERS) for _ in range(_ID_LENGTH)
    )
    backend.deployments[deployment.deployment_id] = deployment
    deployment.creator = "user"
    deployment.status, deployment.start_time = "InProgress", utcnow()
    return deployment


def _alarms(deployment: DeploymentInfo, account_id: str, region: str) -> list[str]:
    """Return the deployment group's alarms in ALARM: they stop a deployment at once."""
    configuration = deployment.deployment_group.alarm_configuration
    if configuration is None or not configuration.enabled:
        return []
    watched = {alarm["name"] for alarm in configuration.alarms}
    alarms = cloudwatch_backends[account_id][region].alarms
    return [name for name in watched if name in alarms and alarms[name].state_value == "ALARM"]


def _failed(
    deployment: DeploymentInfo, status: Literal["Failed", "Stopped"], code: str, message: str
) -> ValidationError:
    deployment.status, deployment.complete_time = status, utcnow()
    deployment.error = {"code": code, "message": message}  # type: ignore[attr-defined]
    return ValidationError(
        message=f"Deployment {deployment.deployment_id} {status.lower()}: {message}"
        f" (Error code: {code})"
    )


_moto_deployment_info = responses._deployment_info  # noqa: SLF001


def _deployment_info(deployment: DeploymentInfo) -> dict[str, Any]:
    return _moto_deployment_info(deployment) | {
        "errorInformation": getattr(deployment, "error", {})
    }


def _put_status(response: responses.CodeDeployResponse) -> ActionResult:
    """Record a hook's report.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html
    """
    execution_id = response._get_param("lifecycleEventHookExecutionId")  # noqa: SLF001
    deployment_id = response._get_param("deploymentId")  # noqa: SLF001
    running = _Hooks.running.get(execution_id)
    if running is None or running.deployment_id != deployment_id:
        raise DeploymentDoesNotExistException(
            f"The deployment {deployment_id} waits for no hook execution {execution_id}"
        )
    running.reported = response._get_param("status")  # noqa: SLF001
    return ActionResult({"lifecycleEventHookExecutionId": execution_id})
