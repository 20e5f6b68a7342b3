import json
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Match, Template
from constructs.function_package import image_package
from constructs.image_digest import ImageDigest
from constructs.live_function import LiveFunction

from tests.support.cdk_context import CDK_JSON

DIGEST = ImageDigest("sha256:" + "1" * 64)


def synthesize(stack: Stack, digest: ImageDigest = DIGEST, **changed: Any) -> Template:
    images = ecr.Repository.from_repository_name(stack, "Images", "images")
    LiveFunction(
        stack,
        "Function",
        **{
            "function_name": "rooms",
            "package": image_package(images, digest),
            "architecture": lambda_.Architecture.ARM_64,
            "memory_mb": 512,
            "timeout": Duration.seconds(20),
            "environment": {"ROOMS_TABLE": "rooms"},
            "log_retention": logs.RetentionDays.ONE_WEEK,
            **changed,
        },
    )
    return Template.from_stack(stack)


def version_id(**changed: Any) -> str:
    template = synthesize(Stack(App(context=CDK_JSON["context"])), **changed)
    (logical_id,) = template.find_resources("AWS::Lambda::Version")
    return logical_id


def test_the_image_is_named_by_digest_and_by_nothing_else(stack: Stack) -> None:
    (function,) = synthesize(stack).find_resources("AWS::Lambda::Function").values()
    assert function["Properties"]["PackageType"] == "Image"
    assert list(function["Properties"]["Code"]) == ["ImageUri"]
    assert f"/images@{DIGEST.value}" in json.dumps(function["Properties"]["Code"])


def test_the_image_decides_its_entrypoint(stack: Stack) -> None:
    synthesize(stack).has_resource_properties(
        "AWS::Lambda::Function", {"ImageConfig": Match.absent()}
    )


@pytest.mark.parametrize(
    ("architecture", "rendered"),
    [(lambda_.Architecture.ARM_64, "arm64"), (lambda_.Architecture.X86_64, "x86_64")],
)
def test_the_architecture_is_always_written_down(
    stack: Stack, architecture: lambda_.Architecture, rendered: str
) -> None:
    synthesize(stack, architecture=architecture).has_resource_properties(
        "AWS::Lambda::Function", {"Architectures": [rendered]}
    )


def test_an_architecture_must_be_chosen(stack: Stack) -> None:
    with pytest.raises(TypeError, match="architecture"):
        LiveFunction(  # type: ignore[call-arg]
            stack,
            "Function",
            function_name="rooms",
            package=image_package(ecr.Repository(stack, "Images"), DIGEST),
            memory_mb=512,
            timeout=Duration.seconds(20),
            environment={},
            log_retention=logs.RetentionDays.ONE_WEEK,
        )


def test_settings_reach_the_function(stack: Stack) -> None:
    synthesize(stack).has_resource_properties(
        "AWS::Lambda::Function",
        {
            "FunctionName": "rooms",
            "MemorySize": 512,
            "Timeout": 20,
            "Environment": {"Variables": {"ROOMS_TABLE": "rooms"}},
            "TracingConfig": {"Mode": "Active"},
            "LoggingConfig": {
                "LogFormat": "JSON",
                "ApplicationLogLevel": "INFO",
                "SystemLogLevel": "INFO",
                "LogGroup": Match.any_value(),
            },
            "ReservedConcurrentExecutions": Match.absent(),
        },
    )


def test_concurrency_is_reserved_where_a_stage_asks_for_it(stack: Stack) -> None:
    synthesize(stack, reserved_concurrency=5).has_resource_properties(
        "AWS::Lambda::Function", {"ReservedConcurrentExecutions": 5}
    )


def test_old_versions_stay_unless_their_deployment_failed(stack: Stack) -> None:
    synthesize(stack).has_resource(
        "AWS::Lambda::Version",
        {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"},
    )


def test_live_points_at_the_version(stack: Stack) -> None:
    template = synthesize(stack)
    (version,) = template.find_resources("AWS::Lambda::Version")
    template.has_resource_properties(
        "AWS::Lambda::Alias",
        {"Name": "live", "FunctionVersion": {"Fn::GetAtt": [version, "Version"]}},
    )


def test_each_change_makes_a_new_version_and_no_change_makes_none() -> None:
    ids = [
        version_id(),
        version_id(digest=ImageDigest("sha256:" + "2" * 64)),
        version_id(environment={"ROOMS_TABLE": "others"}),
        version_id(memory_mb=1024),
    ]
    assert len(set(ids)) == len(ids)
    assert version_id() == ids[0]


def test_log_lines_have_the_given_retention(stack: Stack) -> None:
    synthesize(stack).has_resource_properties(
        "AWS::Logs::LogGroup", {"LogGroupName": "/aws/lambda/rooms", "RetentionInDays": 7}
    )


def test_the_role_may_write_its_log_and_its_traces_and_nothing_else(stack: Stack) -> None:
    template = synthesize(stack)
    template.has_resource_properties("AWS::IAM::Role", {"ManagedPolicyArns": Match.absent()})
    (policy,) = template.find_resources("AWS::IAM::Policy").values()
    allowed = {
        action: json.dumps(statement["Resource"])
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    }
    assert set(allowed) == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    assert {action for action, on in allowed.items() if on == '"*"'} == {
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
