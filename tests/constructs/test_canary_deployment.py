"""The canary deployment in the rooms stack."""

import json
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Annotations, Match

from app import build_app
from tests.support.cdk_context import context
from tests.support.templates import only, resources, rooms_template, waits_for

WAYS = ["image", "zip"]


@pytest.fixture(params=WAYS)
def template(request: pytest.FixtureRequest) -> dict[str, Any]:
    return rooms_template(packaging=request.param)


def alias_of(template: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    ((name, alias),) = resources(template, "AWS::Lambda::Alias").items()
    return name, alias


def group_of(template: dict[str, Any]) -> dict[str, Any]:
    group: dict[str, Any] = only(template, "AWS::CodeDeploy::DeploymentGroup")
    return group


def test_a_tenth_of_the_traffic_goes_first_and_the_rest_five_minutes_later(
    template: dict[str, Any],
) -> None:
    group = group_of(template)
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
    assert group["DeploymentStyle"]["DeploymentOption"] == "WITH_TRAFFIC_CONTROL"


def test_traffic_goes_back_when_the_deployment_fails_and_when_an_alarm_fires(
    template: dict[str, Any],
) -> None:
    assert group_of(template)["AutoRollbackConfiguration"] == {
        "Enabled": True,
        "Events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"],
    }
    assert group_of(template)["AlarmConfiguration"]["Enabled"] is True


def test_the_alias_is_moved_by_codedeploy_behind_the_hook(template: dict[str, Any]) -> None:
    _, alias = alias_of(template)
    (application,) = resources(template, "AWS::CodeDeploy::Application")
    (group,) = resources(template, "AWS::CodeDeploy::DeploymentGroup")
    assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"] == {
        "ApplicationName": {"Ref": application},
        "DeploymentGroupName": {"Ref": group},
        "BeforeAllowTrafficHook": {"Ref": "HookFunctionC89345B9"},
    }


def test_nothing_moves_before_the_hook_knows_the_version_and_all_permissions_are_there(
    template: dict[str, Any],
) -> None:
    """By what CloudFormation promises: it does not say that it follows an update policy."""
    name, _ = alias_of(template)
    before = waits_for(template, name, ignoring="UpdatePolicy")
    policies = {name for name in resources(template, "AWS::IAM::Policy") if "Api" not in name}
    assert policies <= before
    assert {"HookFunctionC89345B9", "DeploymentGroup3F4DA7D3"} <= before
    assert {*resources(template, "AWS::Lambda::Version")} <= before


def test_codedeploy_may_invoke_the_hook_whatever_it_is_called(template: dict[str, Any]) -> None:
    """AWS's managed policy allows only functions whose name begins with CodeDeployHook_."""
    policy = only(template, "AWS::IAM::Policy", named="DeploymentGroup")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert {"Fn::GetAtt": ["HookFunctionC89345B9", "Arn"]} in statement["Resource"]


def test_only_alarms_of_the_new_version_stop_it_so_that_a_fault_cannot_block_its_fix(
    template: dict[str, Any],
) -> None:
    (version,) = resources(template, "AWS::Lambda::Version")
    alarms = [alarm["Name"]["Ref"] for alarm in group_of(template)["AlarmConfiguration"]["Alarms"]]
    assert len(alarms) == 2
    for name in alarms:
        dimensions = template["Resources"][name]["Properties"]["Dimensions"]
        assert {"Fn::GetAtt": [version, "Version"]} in [each["Value"] for each in dimensions]


def test_each_version_has_its_own_alarms(
    template: dict[str, Any],
) -> None:
    """Another name is another alarm; one that is only changed keeps its state."""
    (version,) = resources(template, "AWS::Lambda::Version")
    for alarm in group_of(template)["AlarmConfiguration"]["Alarms"]:
        name = template["Resources"][alarm["Name"]["Ref"]]["Properties"]["AlarmName"]
        assert name["Fn::Join"][1][-1] == {"Fn::GetAtt": [version, "Version"]}


def test_alarms_that_stop_a_canary_of_five_minutes_count_in_minutes(
    template: dict[str, Any],
) -> None:
    for alarm in group_of(template)["AlarmConfiguration"]["Alarms"]:
        properties = template["Resources"][alarm["Name"]["Ref"]]["Properties"]
        assert (properties["Period"], properties["EvaluationPeriods"]) == (60, 1)
        assert properties["TreatMissingData"] == "notBreaching"


@pytest.mark.proof
@pytest.mark.parametrize("packaging", WAYS)
def test_an_emergency_changes_how_traffic_moves_and_nothing_else(packaging: str) -> None:
    usual = rooms_template(packaging=packaging)
    emergency = rooms_template(packaging=packaging, emergency="true")
    changed = {
        name
        for name in usual["Resources"] | emergency["Resources"]
        if usual["Resources"].get(name) != emergency["Resources"].get(name)
    }
    name, alias = alias_of(emergency)
    assert changed == {name, "DeploymentGroup3F4DA7D3"}
    assert usual["Outputs"] == emergency["Outputs"]

    group = group_of(emergency)
    assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaAllAtOnce"
    assert group["AlarmConfiguration"] == {"Enabled": False}
    assert group["AutoRollbackConfiguration"]["Events"] == ["DEPLOYMENT_FAILURE"]
    assert list(alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]) == [
        "ApplicationName",
        "DeploymentGroupName",
    ]


@pytest.mark.parametrize(("emergency", "warned"), [("true", 1), ("false", 0)])
def test_an_emergency_gives_a_warning(emergency: str, warned: int) -> None:
    app = build_app(context=context(stage="dev", emergency=emergency))
    stack = app.node.find_child("hima-five-bomber-dev-rooms")
    assert isinstance(stack, Stack)
    loud = Match.string_like_regexp("^EMERGENCY: .*all traffic at once.*No hook.*no alarm")
    assert len(Annotations.from_stack(stack).find_warning("*", loud)) == warned


def test_an_application_and_a_group_serve_both_packagings() -> None:
    """A shift begun with one is never left to a group that another one removes."""
    image, zipped = (json.dumps(group_of(rooms_template(packaging=way))) for way in WAYS)
    assert image == zipped
