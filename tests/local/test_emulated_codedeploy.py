"""An alias that CodeDeploy moves: the hook decides, the alarms do, and the stack goes back."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import Client
from tests.support.local.emulated_functions import (
    ROLE,
    Resources,
    RolledBackError,
    deploy,
    events,
    function,
    invoke,
    status,
)

# A hook that asks the new version by number, as ours does, and reports what it finds.
ASKS = """
import json
import os

import boto3


def handler(event, context):
    answer = boto3.client("lambda").invoke(FunctionName=os.environ["NEW_VERSION_ARN"])
    good = "FunctionError" not in answer and json.loads(answer["Payload"].read())["good"]
    boto3.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="Succeeded" if good else "Failed",
    )
"""
SAYS_NOTHING = "def handler(event, context):\n    return event"
CRASHES = "def handler(event, context):\n    raise ValueError"


def answers(word: str, *, good: bool = True) -> str:
    return f"def handler(event, context):\n    return {{'word': {word!r}, 'good': {good}}}"


def stack(
    aws: Client, version: str, code: str, *, hook: str | None = ASKS, alarm: bool = False
) -> Resources:
    """A function whose alias CodeDeploy moves, as the CDK writes it."""
    policy: dict[str, Any] = {
        "ApplicationName": {"Ref": "Application"},
        "DeploymentGroupName": {"Ref": "Group"},
    }
    if hook is not None:
        policy["BeforeAllowTrafficHook"] = {"Ref": "Hook"}
    group = {"ApplicationName": {"Ref": "Application"}, "ServiceRoleArn": "arn:aws:iam::1:role/x"}
    alarms = {"Enabled": True, "Alarms": [{"Name": {"Ref": "Alarm"}}]} if alarm else {}
    return {
        "Role": ROLE,
        "Function": function(aws, code, name="rooms"),
        version: {
            "Type": "AWS::Lambda::Version",
            "Properties": {"FunctionName": {"Ref": "Function"}},
            "DeletionPolicy": "RetainExceptOnCreate",
        },
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
                "Name": "live",
            },
            "UpdatePolicy": {"CodeDeployLambdaAliasUpdate": policy},
            "DependsOn": ["Hook"],
        },
        "Hook": function(
            aws,
            hook or ASKS,
            name="hook",
            Timeout=30,
            Environment={"Variables": {"NEW_VERSION_ARN": {"Ref": version}}},
        ),
        "Application": {
            "Type": "AWS::CodeDeploy::Application",
            "Properties": {"ApplicationName": "rooms", "ComputePlatform": "Lambda"},
        },
        "Group": {
            "Type": "AWS::CodeDeploy::DeploymentGroup",
            "Properties": {**group, "DeploymentGroupName": "live", "AlarmConfiguration": alarms},
        },
        "Release": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "release", "Type": "String", "Value": code},
            "DependsOn": "Live",
        },
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": "errors",
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "Namespace": "rooms",
                "MetricName": "errors",
                "Period": 60,
                "Statistic": "Sum",
            },
        },
    }


def word(aws: Client) -> Any:
    return invoke(aws, "rooms:live")["word"]


def deployments(aws: Client) -> list[Any]:
    codedeploy = aws("codedeploy")
    found = codedeploy.list_deployments(applicationName="rooms", deploymentGroupName="live")
    return [
        codedeploy.get_deployment(deploymentId=each)["deploymentInfo"]
        for each in found["deployments"]
    ]


def versions(aws: Client) -> list[str]:
    found = aws("lambda").list_versions_by_function(FunctionName="rooms")["Versions"]
    return [version["Version"] for version in found]


@pytest.mark.proof
def test_the_first_version_is_live_without_a_deployment(aws: Client) -> None:
    deploy(aws, stack(aws, "V1", answers("one", good=False)))
    assert word(aws) == "one"
    assert deployments(aws) == []


def test_a_good_version_is_asked_by_number_and_then_goes_live(aws: Client) -> None:
    deploy(aws, stack(aws, "V1", answers("one")))
    deploy(aws, stack(aws, "V2", answers("two")))
    assert word(aws) == "two"
    (deployment,) = deployments(aws)
    assert deployment["status"] == "Succeeded"
    assert len(deployment["deploymentId"]) == len("d-ABCDEF123")
    assert deployment["deploymentId"].startswith("d-")
    content = json.loads(deployment["revision"]["appSpecContent"]["content"])
    (resource,) = content["Resources"]
    properties = resource["rooms"]["Properties"]
    assert (properties["CurrentVersion"], properties["TargetVersion"]) == ("1", "2")


def test_a_bad_version_gets_no_traffic_and_the_stack_rolls_back(aws: Client) -> None:
    deploy(aws, stack(aws, "V1", answers("one")))
    template = aws("cloudformation").get_template(StackName="rooms")["TemplateBody"]
    with pytest.raises(RolledBackError) as failure:
        deploy(aws, stack(aws, "V2", answers("two", good=False)))
    assert "one or more of the lifecycle event validation functions failed" in str(failure.value)
    (deployment,) = deployments(aws)
    assert deployment["status"] == "Failed"
    assert deployment["deploymentId"] in str(failure.value)
    assert deployment["errorInformation"]["code"] == "HOOK_EXECUTION_FAILURE"

    assert word(aws) == "one"
    assert invoke(aws, "rooms")["word"] == "one"
    assert versions(aws) == ["$LATEST", "1"]
    assert status(aws) == "UPDATE_ROLLBACK_COMPLETE"
    assert aws("cloudformation").get_template(StackName="rooms")["TemplateBody"] == template
    found = aws("cloudformation").describe_stack_events(StackName="rooms")["StackEvents"]
    operations = {event["ResourceStatus"]: event["OperationId"] for event in found}
    assert operations["UPDATE_FAILED"] == operations["UPDATE_IN_PROGRESS"]
    assert operations["UPDATE_FAILED"] != operations["UPDATE_ROLLBACK_COMPLETE"]
    # What was to come after the failure, was not done and is not undone.
    assert len(aws("ssm").get_parameter_history(Name="release")["Parameters"]) == 1
    happened = [(name, what) for name, what, _ in events(aws)]
    assert happened[happened.index(("Live", "UPDATE_FAILED")) :] == [
        ("Live", "UPDATE_FAILED"),
        ("rooms", "UPDATE_ROLLBACK_IN_PROGRESS"),
        ("Function", "UPDATE_IN_PROGRESS"),
        ("Function", "UPDATE_COMPLETE"),
        ("Hook", "UPDATE_IN_PROGRESS"),
        ("Hook", "UPDATE_COMPLETE"),
        ("Live", "UPDATE_IN_PROGRESS"),
        ("Live", "UPDATE_COMPLETE"),
        ("rooms", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("V2", "DELETE_IN_PROGRESS"),
        ("V2", "DELETE_COMPLETE"),
        ("rooms", "UPDATE_ROLLBACK_COMPLETE"),
    ]


@pytest.mark.proof
def test_a_good_version_after_a_bad_one_goes_live_under_a_number_of_its_own(aws: Client) -> None:
    deploy(aws, stack(aws, "V1", answers("one")))
    with pytest.raises(RolledBackError):
        deploy(aws, stack(aws, "V2", answers("two", good=False)))
    deploy(aws, stack(aws, "V3", answers("three")))
    assert word(aws) == "three"
    assert versions(aws) == ["$LATEST", "1", "3"]
    deploy(aws, stack(aws, "V1", answers("one")))
    assert word(aws) == "one"
    values = [
        parameter["Value"]
        for parameter in aws("ssm").get_parameter_history(Name="release")["Parameters"]
    ]
    assert values == [answers("one"), answers("three"), answers("one")]
    assert [each["status"] for each in deployments(aws)] == ["Failed", "Succeeded", "Succeeded"]


@pytest.mark.proof
@pytest.mark.parametrize("hook", [SAYS_NOTHING, CRASHES, "import nowhere"])
def test_a_hook_that_does_not_report_is_one_that_failed(aws: Client, hook: str) -> None:
    deploy(aws, stack(aws, "V1", answers("one"), hook=hook))
    with pytest.raises(RolledBackError, match="lifecycle event validation functions failed"):
        deploy(aws, stack(aws, "V2", answers("two"), hook=hook))
    assert word(aws) == "one"


@pytest.mark.proof
def test_without_a_hook_the_alias_moves_at_once(aws: Client) -> None:
    deploy(aws, stack(aws, "V1", answers("one")))
    deploy(aws, stack(aws, "V2", answers("two", good=False), hook=None))
    assert word(aws) == "two"


@pytest.mark.proof
def test_an_alarm_stops_the_deployment_and_one_that_is_not_watched_does_not(aws: Client) -> None:
    deploy(aws, stack(aws, "V1", answers("one"), alarm=True))
    aws("cloudwatch").set_alarm_state(AlarmName="errors", StateValue="ALARM", StateReason="test")
    with pytest.raises(RolledBackError, match="One or more alarms have been activated"):
        deploy(aws, stack(aws, "V2", answers("two"), alarm=True))
    assert deployments(aws)[0]["status"] == "Stopped"
    assert word(aws) == "one"
    deploy(aws, stack(aws, "V3", answers("three")))
    assert word(aws) == "three"


@pytest.mark.proof
def test_a_failed_creation_leaves_nothing_but_the_stack(aws: Client) -> None:
    broken = stack(aws, "V1", answers("one"))
    broken["Application"]["Properties"]["ApplicationName"] = {"Ref": "Live"}
    broken["Alarm"]["Properties"]["Threshold"] = {"Fn::GetAtt": ["Application", "Arn"]}
    with pytest.raises(RolledBackError):
        deploy(aws, broken)
    assert status(aws) == "ROLLBACK_COMPLETE"
    assert aws("lambda").list_functions()["Functions"] == []
    with pytest.raises(ClientError, match="ROLLBACK_COMPLETE state and can not be updated"):
        deploy(aws, stack(aws, "V1", answers("one")))
    aws("cloudformation").delete_stack(StackName="rooms")
    deploy(aws, stack(aws, "V1", answers("one")))
    assert word(aws) == "one"


def test_a_hook_may_report_for_its_own_deployment_only(aws: Client) -> None:
    with pytest.raises(ClientError, match="waits for no hook execution"):
        aws("codedeploy").put_lifecycle_event_hook_execution_status(
            deploymentId="d-ABCDEF123", lifecycleEventHookExecutionId="x", status="Succeeded"
        )


WAITS = (
    ASKS
    + """
    import time

    table = boto3.resource("dynamodb").Table("signals")
    table.put_item(Item={"name": "hook runs"})
    deadline = time.monotonic() + 25
    while "Item" not in table.get_item(Key={"name": "go on"}) and time.monotonic() < deadline:
        time.sleep(0.05)
"""
)


@contextmanager
def updating(aws: Client, resources: Resources) -> Iterator[None]:
    """Update a stack whose hook waits, and be in the middle of it; at the end it goes on."""
    key = {"AttributeName": "name", "KeyType": "HASH"}
    dynamodb = aws("dynamodb")
    dynamodb.create_table(
        TableName="signals",
        KeySchema=[key],
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    update = {"StackName": "rooms", "TemplateBody": json.dumps({"Resources": resources})}
    working = threading.Thread(target=lambda: aws("cloudformation").update_stack(**update))
    working.start()
    while "Item" not in dynamodb.get_item(TableName="signals", Key={"name": {"S": "hook runs"}}):
        assert working.is_alive()
        time.sleep(0.05)
    try:
        yield
    finally:
        dynamodb.put_item(TableName="signals", Item={"name": {"S": "go on"}})
        working.join()


@pytest.mark.proof
def test_others_are_served_while_a_hook_runs(aws: Client) -> None:
    deploy(aws, stack(aws, "V1", answers("one"), hook=WAITS))
    with updating(aws, stack(aws, "V2", answers("two"), hook=WAITS)):
        assert word(aws) == "one"
        assert status(aws) == "UPDATE_IN_PROGRESS"
        with pytest.raises(ClientError, match="UPDATE_IN_PROGRESS state and can not be updated"):
            deploy(aws, stack(aws, "V3", answers("three")))
    assert word(aws) == "two"


@pytest.mark.proof
def test_an_update_that_is_cancelled_goes_back(aws: Client) -> None:
    later = {"Later": {"Type": "AWS::SNS::Topic", "Properties": {}, "DependsOn": ["Live"]}}
    deploy(aws, stack(aws, "V1", answers("one"), hook=WAITS))
    with updating(aws, stack(aws, "V2", answers("two"), hook=WAITS) | later):
        aws("cloudformation").cancel_update_stack(StackName="rooms")
    assert status(aws) == "UPDATE_ROLLBACK_COMPLETE"
    assert word(aws) == "one"
    assert aws("sns").list_topics()["Topics"] == []


@pytest.mark.proof
def test_nothing_is_cancelled_when_nothing_is_updated(aws: Client) -> None:
    deploy(aws, stack(aws, "V1", answers("one")))
    with pytest.raises(ClientError, match="cannot be called from current stack status"):
        aws("cloudformation").cancel_update_stack(StackName="rooms")
    deploy(aws, stack(aws, "V2", answers("two")))
    assert word(aws) == "two"


def deploy_by_change_set(aws: Client, resources: Resources, kind: str) -> None:
    """As the CDK CLI does when it is not told otherwise."""
    cloudformation = aws("cloudformation")
    if kind == "CREATE":
        aws("ssm").put_parameter(Name="/bootstrap", Value="32", Type="String")
    parameter = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/bootstrap"}
    previous = [{"ParameterKey": "Bootstrap", "UsePreviousValue": True}]
    outputs = {"Alias": {"Value": {"Ref": "Live"}, "Export": {"Name": "rooms-alias"}}}
    names = {"StackName": "rooms", "ChangeSetName": "cdk-deploy-change-set"}
    if kind == "UPDATE":  # There may be none, which is no error.
        cloudformation.delete_change_set(**names)
        cloudformation.delete_change_set(**names)
        with pytest.raises(cloudformation.exceptions.ChangeSetNotFoundException):
            cloudformation.describe_change_set(**names)
    cloudformation.create_change_set(
        **names,
        ChangeSetType=kind,
        Parameters=previous if kind == "UPDATE" else [],
        TemplateBody=json.dumps(
            {
                "Parameters": {"Bootstrap": parameter},
                "Resources": resources,
                "Outputs": outputs,
            }
        ),
    )
    change_set = cloudformation.describe_change_set(**names)
    assert change_set["Status"] == "CREATE_COMPLETE"
    cloudformation.execute_change_set(**names)
    if "ROLLBACK" in status(aws):
        raise RolledBackError


@pytest.mark.proof
def test_change_sets_create_update_and_roll_back_like_direct_deployments(aws: Client) -> None:
    deploy_by_change_set(aws, stack(aws, "V1", answers("one")), "CREATE")
    assert status(aws) == "CREATE_COMPLETE"
    exports = aws("cloudformation").list_exports()["Exports"]
    assert [export["Name"] for export in exports] == ["rooms-alias"]
    deploy_by_change_set(aws, stack(aws, "V2", answers("two")), "UPDATE")
    assert word(aws) == "two"
    with pytest.raises(RolledBackError):
        deploy_by_change_set(aws, stack(aws, "V3", answers("three", good=False)), "UPDATE")
    assert word(aws) == "two"
    assert status(aws) == "UPDATE_ROLLBACK_COMPLETE"
