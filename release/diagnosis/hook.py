"""A deployment that failed because its pre-traffic hook did, and not the version that it asks.

The hook reports to CodeDeploy in any case, and logs its outcome before. So without a report, or
without a line in its log, it was not called, did not run or could not reach CodeDeploy. CodeDeploy
waits an hour for a report:
https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-ecs.html#troubleshooting-ecs-timeout-callback
"""

import re
from typing import Final

from release.deploy.stopped import is_without_report
from release.diagnosis.cause import Evidence, FailureCause, Likelihood, Remedy, seen
from release.diagnosis.facts import DeploymentFacts, HookFacts, StageFacts
from release.diagnosis.remedies import (
    aws_command,
    compare_with_stack,
    release_command,
    revert_drift,
)

HOOK_STEP: Final = "BeforeAllowTraffic"
_OF_HOOK: Final = ("HOOK_EXECUTION_FAILURE", "IAM_ROLE_PERMISSIONS", "TIMEOUT")
_ITSELF: Final = "hook"
"""The step that the hook names where it is the hook that failed."""
_DENIED: Final = re.compile(r"AccessDenied|not authorized to perform", re.IGNORECASE)
_NETWORK: Final = re.compile(
    r"Task timed out|Sandbox\.Timedout|Connect ?Timeout|Read ?Timeout|EndpointConnection|Could not"
    r" connect|ENOTFOUND|ETIMEDOUT",
    re.IGNORECASE,
)


def hook_fault(
    facts: StageFacts, deployment: DeploymentFacts | None, evidence: tuple[Evidence, ...]
) -> FailureCause | None:
    """Return the fault of the hook that stopped a deployment; None where it was none."""
    if deployment is None:
        return None
    what = _what(deployment, facts.hook)
    if what is None:
        return None
    name, title, likelihood = what
    lines = facts.hook.lines if facts.hook else ()
    said = tuple(f"{line.error_type}: {line.message}".removeprefix(": ") for line in lines)[-3:]
    found = facts.hook.found if facts.hook else ""
    reasons = (*((found,) if found else ()), *said)
    return FailureCause(
        name=name,
        title=title + _why(reasons),
        likelihood=likelihood,
        error_type=deployment.code,
        evidence=(*(seen("log of the pre-traffic hook", one) for one in reasons), *evidence),
        fix=_fix(facts),
        explanation="Nothing says that the new version or its image is at fault: the hook, its"
        " permission or its network is.",
    )


def _what(
    deployment: DeploymentFacts, hook: HookFacts | None
) -> tuple[str, str, Likelihood] | None:
    """Return name, title and likelihood of the hook's fault."""
    is_timeout = is_without_report(deployment.code, deployment.message)
    is_at_hook = any(one.name == HOOK_STEP and one.status == "Failed" for one in deployment.events)
    if not (is_timeout or is_at_hook or deployment.code in _OF_HOOK):
        return None
    if hook and hook.status == "Failed":
        title = "The pre-traffic hook itself failed, and not the new version"
        return ("hook-failed", title, "certain") if hook.step == _ITSELF else None
    # Of what CodeDeploy does not say itself, the log may have been deleted since.
    likelihood: Likelihood = "certain" if is_timeout else "likely"
    if hook and hook.status:
        title = "The pre-traffic hook found nothing wrong, and its report did not reach CodeDeploy"
        return "hook-silent", title, likelihood
    if is_timeout:
        return "hook-silent", "The pre-traffic hook never reported to CodeDeploy", likelihood
    if hook:
        return "hook-silent", "The pre-traffic hook did not run, or could not report", likelihood
    return None


def _why(reasons: tuple[str, ...]) -> str:
    said = " ".join(reasons)
    if _DENIED.search(said):
        return ": a permission is missing"
    if _NETWORK.search(said):
        return ": it waited for something in vain, as without a network"
    return ""


def _fix(facts: StageFacts) -> tuple[Remedy, ...]:
    stage = facts.stage
    hook = f"{stage.names.prefix}-pre-traffic-hook"
    return (
        Remedy(
            "read what the hook logged of that hour",
            f"aws logs tail /aws/lambda/{hook} --since 3h --region {stage.region}",
        ),
        compare_with_stack(
            stage,
            "the hook or a permission was changed (codedeploy:PutLifecycleEventHookExecutionStatus"
            " of the hook's role, lambda:InvokeFunction of the hook's and of CodeDeploy's)",
        ),
        revert_drift(stage, stage.names.rooms_stack),
        Remedy(
            "check whether it was put into a VPC, which needs a way to CodeDeploy and Lambda: the"
            " stack puts it in none",
            aws_command(
                "lambda",
                "get-function-configuration",
                stage,
                function_name=hook,
                query="[State,LastUpdateStatus,Timeout,VpcConfig]",
            ),
        ),
        Remedy("deploy the same image again", release_command("deploy", stage)),
    )
