"""The queries of AWS, one function each: a boto3 client in, facts out.

They raise botocore's errors, and KeyError for an answer without what its API documents.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from release.diagnosis.facts import (
    AlarmFacts,
    AliasFacts,
    Concurrency,
    DeploymentFacts,
    FailedResource,
    FunctionFacts,
    LifecycleEvent,
    Override,
    StackFacts,
)

_MAX_EVENT_PAGES: Final = 5
_MAX_DEPLOYMENTS: Final = 25
"""As many as one call describes; they are listed by the hundred, those of late first."""


def stack(cloudformation: Any, name: str) -> StackFacts | None:
    """Return the stack and what failed in its last operation; None when there is none."""
    from botocore.exceptions import ClientError  # noqa: PLC0415  (slow, and needed here only)

    try:
        found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        # What CloudFormation answers for a stack that is not there.
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    return StackFacts(found["StackStatus"], outputs, found.get("StackStatusReason", ""))


def stack_operation(cloudformation: Any, name: str) -> tuple[tuple[FailedResource, ...], str]:
    """Return what failed in the stack's last operation, the first failure first, and its image.

    The image is the one that it gave the function first: a roll-back gives back the one before.
    """
    events = list(_last_operation(cloudformation, name))[::-1]
    failures = tuple(
        FailedResource(
            event["LogicalResourceId"],
            event.get("ResourceType", ""),
            event["ResourceStatus"],
            event.get("ResourceStatusReason", ""),
        )
        for event in events
        if event["ResourceStatus"].endswith("_FAILED")
        # What was only stopped because of another one.
        and "cancelled" not in event.get("ResourceStatusReason", "")
    )
    return failures, next(filter(None, map(_image, events)), "")


def function(lambda_: Any, name: str, qualifier: str) -> FunctionFacts:
    """Return a version, or what an alias points to."""
    answer = lambda_.get_function(FunctionName=name, Qualifier=qualifier)
    config = answer["Configuration"]
    response = config.get("ImageConfigResponse", {})
    environment = config.get("Environment", {})
    error: dict[str, str] = environment.get("Error") or response.get("Error") or {}
    return FunctionFacts(
        version=config["Version"],
        state=config.get("State", "Active"),
        state_code=config.get("StateReasonCode", ""),
        state_reason=config.get("StateReason", ""),
        update_status=config.get("LastUpdateStatus", "Successful"),
        update_code=config.get("LastUpdateStatusReasonCode", ""),
        update_reason=config.get("LastUpdateStatusReason", ""),
        package=config.get("PackageType", "Zip"),
        architecture=next(iter(config.get("Architectures", ())), "x86_64"),
        image=answer.get("Code", {}).get("ResolvedImageUri", ""),
        override=_override(response.get("ImageConfig", {})),
        handler=config.get("Handler", ""),
        memory_mb=config["MemorySize"],
        timeout_seconds=config["Timeout"],
        variables=environment.get("Variables", {}),
        variables_error=": ".join(filter(None, (error.get("ErrorCode"), error.get("Message")))),
        role=config.get("Role", ""),
        kms_key=config.get("KMSKeyArn", ""),
    )


def alias(lambda_: Any, name: str) -> AliasFacts:
    """Return where ``live`` points."""
    answer = lambda_.get_alias(FunctionName=name, Name="live")
    weights = (answer.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return AliasFacts(answer["FunctionVersion"], weights)


def reserved_concurrency(lambda_: Any, name: str) -> Concurrency:
    """Return what is reserved for the function."""
    answer = lambda_.get_function_concurrency(FunctionName=name)
    return Concurrency(answer.get("ReservedConcurrentExecutions"))


def account_concurrency(lambda_: Any) -> tuple[int, int]:
    """Return the account's limit, and what of it is not reserved."""
    limit = lambda_.get_account_settings()["AccountLimit"]
    return limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]


def api_may_invoke(lambda_: Any, name: str) -> bool:
    """Say whether the policy of alias ``live`` lets API Gateway invoke it."""
    policy = json.loads(lambda_.get_policy(FunctionName=name, Qualifier="live")["Policy"])
    return any(
        statement.get("Effect") == "Allow"
        and "apigateway.amazonaws.com" in json.dumps(statement.get("Principal"))
        and "lambda:InvokeFunction" in json.dumps(statement.get("Action"))
        for statement in policy["Statement"]
    )


def released_digest(ssm: Any, parameter: str) -> str:
    """Return the digest that the stack deployed last; empty when that is a zip."""
    value = json.loads(ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
    return str(value["pin"]["digest"]) if value.get("packaging") == "image" else ""


def table_status(dynamodb: Any, name: str) -> str:
    """Return the table's status."""
    return str(dynamodb.describe_table(TableName=name)["Table"]["TableStatus"])


def deployment(codedeploy: Any, application: str, group: str) -> DeploymentFacts | None:
    """Return the newest deployment; None when there was none."""
    listed = codedeploy.list_deployments(applicationName=application, deploymentGroupName=group)
    newest = listed["deployments"][:_MAX_DEPLOYMENTS]
    if not newest:
        return None
    # In which order they are listed is not documented.
    infos = codedeploy.batch_get_deployments(deploymentIds=newest)["deploymentsInfo"]
    info = max(infos, key=lambda info: str(info.get("createTime", "")))
    error = info.get("errorInformation") or {}
    return DeploymentFacts(
        id=info["deploymentId"],
        status=info["status"],
        code=error.get("code", ""),
        message=error.get("message", ""),
    )


def alarms_of(codedeploy: Any, application: str, group: str) -> tuple[str, ...]:
    """Return the names of the alarms that stop the deployments of a group."""
    answer = codedeploy.get_deployment_group(applicationName=application, deploymentGroupName=group)
    alarms = (answer["deploymentGroupInfo"].get("alarmConfiguration") or {}).get("alarms", [])
    return tuple(alarm["name"] for alarm in alarms)


def deployment_events(codedeploy: Any, facts: DeploymentFacts) -> DeploymentFacts:
    """Add the version that a deployment brings, and its steps."""
    targets = codedeploy.list_deployment_targets(deploymentId=facts.id)["targetIds"]
    answer = codedeploy.batch_get_deployment_targets(deploymentId=facts.id, targetIds=targets)
    target = answer["deploymentTargets"][0]["lambdaTarget"]
    return replace(
        facts,
        version=(target.get("lambdaFunctionInfo") or {}).get("targetVersion", ""),
        events=tuple(
            LifecycleEvent(
                event["lifecycleEventName"],
                event["status"],
                (event.get("diagnostics") or {}).get("message", ""),
            )
            for event in target.get("lifecycleEvents", [])
        ),
    )


def ringing_alarms(cloudwatch: Any, prefix: str) -> tuple[AlarmFacts, ...]:
    """Return the stage's alarms that are in ALARM."""
    answer = cloudwatch.describe_alarms(AlarmNamePrefix=f"{prefix}-", StateValue="ALARM")
    return tuple(
        AlarmFacts(
            alarm["AlarmName"], alarm.get("StateReason", ""), alarm.get("AlarmDescription", "")
        )
        for kind in ("MetricAlarms", "CompositeAlarms")
        for alarm in answer.get(kind, [])
        # Emulators answer alarms in every state.
        if alarm.get("StateValue") == "ALARM"
    )


def throttled_invocations(cloudwatch: Any, name: str, minutes: int) -> int:
    """Return how many invocations of ``live`` were throttled in the last minutes.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    end = datetime.now(UTC)
    answer = cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Throttles",
        Dimensions=[
            {"Name": "FunctionName", "Value": name},
            {"Name": "Resource", "Value": f"{name}:live"},
        ],
        StartTime=end - timedelta(minutes=minutes),
        EndTime=end,
        Period=max(60, minutes * 60),
        Statistics=["Sum"],
    )
    return int(sum(point["Sum"] for point in answer["Datapoints"]))


def _last_operation(cloudformation: Any, name: str) -> Iterator[dict[str, Any]]:
    """Yield the events of the last operation, newest first.

    It begins where the stack itself went into progress of something that is no roll-back.
    """
    pages = cloudformation.get_paginator("describe_stack_events").paginate(
        StackName=name, PaginationConfig={"MaxItems": _MAX_EVENT_PAGES * 100}
    )
    for page in pages:
        for event in page["StackEvents"]:
            yield event
            status = event["ResourceStatus"]
            if (
                event.get("ResourceType") == "AWS::CloudFormation::Stack"
                and event["LogicalResourceId"] == name
                and status.endswith("_IN_PROGRESS")
                and "ROLLBACK" not in status
                and "CLEANUP" not in status
            ):
                return


def _image(event: dict[str, Any]) -> str:
    """Return the image of a function's event; empty when it has none."""
    if event.get("ResourceType") != "AWS::Lambda::Function":
        return ""
    try:
        return str(json.loads(event["ResourceProperties"])["Code"]["ImageUri"])
    except (KeyError, TypeError, ValueError):
        return ""


def _override(config: dict[str, Any]) -> Override | None:
    """Read ImageConfig; an emulator's empty lists are no override, an empty string is one."""
    entrypoint, command = config.get("EntryPoint"), config.get("Command")
    workdir = config.get("WorkingDirectory")
    if not (entrypoint or command or workdir):
        return None
    return Override(
        tuple(entrypoint) if entrypoint else None, tuple(command) if command else None, workdir
    )
