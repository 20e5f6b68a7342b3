"""The hook function, in the stack whose versions it asks."""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest
from constructs.pre_traffic_hook import TIMEOUT

from config.function_libraries import PYTHON_VERSION
from lambda_src.pre_traffic_hook import main as hook
from tests.support.templates import only, resources, rooms_template

ACCOUNT = "arn:aws:lambda:ap-northeast-1:123456789012:function"


@pytest.fixture(params=["image", "zip"])
def template(request: pytest.FixtureRequest) -> dict[str, Any]:
    return rooms_template(packaging=request.param)


@pytest.fixture
def function(template: dict[str, Any]) -> dict[str, Any]:
    function: dict[str, Any] = only(template, "AWS::Lambda::Function", named="Hook")
    return function


def allowed(template: dict[str, Any], action: str) -> Any:
    policy = only(template, "AWS::IAM::Policy", named="Hook")
    (statement,) = (
        statement
        for statement in policy["PolicyDocument"]["Statement"]
        if action in statement["Action"]
    )
    return statement["Resource"]


def test_it_is_a_zip_that_needs_no_library_so_no_image_can_break_it(
    function: dict[str, Any],
) -> None:
    assert "PackageType" not in function
    assert list(function["Code"]) == ["S3Bucket", "S3Key"]
    assert "Layers" not in function
    assert (function["Runtime"], function["Handler"]) == (
        f"python{PYTHON_VERSION}",
        f"{hook.__name__.removeprefix('lambda_src.')}.{hook.handler.__name__}",
    )


def test_it_gets_the_number_of_the_new_version(
    template: dict[str, Any], function: dict[str, Any]
) -> None:
    """Ref of a version is its ARN, with the number; that of an alias would be the old version's."""
    (version,) = resources(template, "AWS::Lambda::Version")
    assert function["Environment"]["Variables"] == {"NEW_VERSION_ARN": {"Ref": version}}


def test_it_may_invoke_versions_of_this_function_and_nothing_else(
    template: dict[str, Any],
) -> None:
    (alias,) = resources(template, "AWS::Lambda::Alias").values()
    own = alias["Properties"]["FunctionName"]["Ref"]
    name = template["Resources"][own]["Properties"]["FunctionName"]

    resource = allowed(template, "lambda:InvokeFunction")
    assert resource == {"Fn::Join": ["", [{"Fn::GetAtt": [own, "Arn"]}, ":*"]]}
    pattern = f"{ACCOUNT}:{name}:*"
    assert fnmatchcase(f"{ACCOUNT}:{name}:7", pattern)
    for other in (name, f"{name}-other:7", f"{name}2"):
        assert not fnmatchcase(f"{ACCOUNT}:{other}", pattern)


def test_it_may_report_to_its_own_deployment_group_and_nothing_else(
    template: dict[str, Any],
) -> None:
    resource = json.dumps(allowed(template, "codedeploy:PutLifecycleEventHookExecutionStatus"))
    assert '{"Ref": "DeploymentApplication7D968237"}' in resource
    assert '{"Ref": "DeploymentGroup3F4DA7D3"}' in resource
    assert "*" not in resource


def test_its_role_has_these_two_permissions_and_its_log() -> None:
    template = rooms_template()
    role = only(template, "AWS::IAM::Role", named="Hook")
    assert "ManagedPolicyArns" not in role
    policy = only(template, "AWS::IAM::Policy", named="Hook")
    actions = [statement["Action"] for statement in policy["PolicyDocument"]["Statement"]]
    assert actions == [
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        "lambda:InvokeFunction",
        "codedeploy:PutLifecycleEventHookExecutionStatus",
    ]


def test_it_has_time_for_the_slowest_answer_and_the_report(function: dict[str, Any]) -> None:
    slowest_s = hook.CONNECT_TIMEOUT_S + hook.ANSWER_TIMEOUT_S
    assert function["Timeout"] == TIMEOUT.to_seconds()
    assert slowest_s + hook.PATIENCE_S + hook.REPORT_S < function["Timeout"]


def test_its_line_reaches_a_log_of_its_own_as_json(
    template: dict[str, Any], function: dict[str, Any]
) -> None:
    log = only(template, "AWS::Logs::LogGroup", named="Hook")
    assert log["LogGroupName"] == f"/aws/lambda/{function['FunctionName']}"
    assert log["RetentionInDays"] == 14
    logging = function["LoggingConfig"]
    assert (logging["LogFormat"], logging["ApplicationLogLevel"]) == ("JSON", "INFO")
    assert template["Outputs"]["HookLogGroup"]["Value"] == logging["LogGroup"]
