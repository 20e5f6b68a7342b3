"""The deploy role, in a simulator of IAM: it has the permissions that it needs, and no others."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from app import build_app
from config.names import StageNames
from tests.support.aws_calls import release_actions
from tests.support.cdk_context import GITHUB, context
from tests.support.deployed_template import ACCOUNT, REGION, filled_in, role_named
from tests.support.policy_evaluator import Question, answers
from tests.support.templates import delivery_template, resources, rooms_template

CDK = "sts:AssumeRole"
# How layers go to a registry: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
UPLOADS: Final = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload")
FOR_THE_ACCOUNT: Final = {
    "cloudformation:ListStacks": "*",
    "cloudwatch:DescribeAlarms": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:*",
    "cloudwatch:GetMetricStatistics": "*",
    "codedeploy:BatchGetDeploymentTargets": "*",
    "codedeploy:ListDeploymentTargets": "*",
    "ecr:GetAuthorizationToken": "*",
    "lambda:GetAccountSettings": "*",
}
"""Permissions for the whole account: they change nothing, and read nothing about players."""


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def stack(name: str) -> str:
    return arn("cloudformation", f"stack/{name}/0f6ab3c0-0000-11ef-8000-0a1b2c3d4e5f")


@cache
def resources_of(stage: str) -> dict[str, list[str]]:
    """Return what each action is done to, by the names that are in the stage's templates."""
    names = StageNames(stage)
    image, zipped = (rooms_template(stage=stage, packaging=way) for way in ("image", "zip"))

    def named(kind: str, key: str) -> list[str]:
        return sorted(
            {
                each["Properties"][key]
                for template in (image, zipped)
                for name, each in resources(template, kind).items()
                if not (kind == "AWS::Lambda::Function" and name.startswith("Hook"))
            }
        )

    functions = [
        arn("lambda", f"function:{name}") for name in named("AWS::Lambda::Function", "FunctionName")
    ]
    versions = [f"{function}:{version}" for function in functions for version in ("live", "7")]
    (application,) = named("AWS::CodeDeploy::Application", "ApplicationName")
    (group,) = named("AWS::CodeDeploy::DeploymentGroup", "DeploymentGroupName")
    (table,) = named("AWS::DynamoDB::Table", "TableName")
    assert names.release_parameter in named("AWS::SSM::Parameter", "Name")
    deployments = [arn("codedeploy", f"deploymentgroup:{application}/{group}")]
    images = [arn("ecr", f"repository/{names.repository}")]
    parameter = [arn("ssm", f"parameter{names.release_parameter}")]
    logs = [
        # As CloudWatch Logs names it when it refuses.
        arn("logs", f"log-group:{name}:log-stream:")
        for name in named("AWS::Logs::LogGroup", "LogGroupName")
    ]
    kept_versions = [
        arn("logs", f"log-group:/aws/lambda/{name}:log-stream:versions/2026-11-28T070000Z")
        for name in named("AWS::Lambda::Function", "FunctionName")
    ]
    rooms, web = stack(names.rooms_stack), stack(names.web_stack)
    return {
        "cloudformation:CancelUpdateStack": [rooms],
        "cloudformation:DescribeStackEvents": [rooms],
        "cloudformation:DescribeStacks": [rooms, web],
        "codedeploy:BatchGetDeployments": deployments,
        "codedeploy:GetDeployment": deployments,
        "codedeploy:GetDeploymentGroup": deployments,
        "codedeploy:ListDeployments": deployments,
        "dynamodb:DescribeContinuousBackups": [arn("dynamodb", f"table/{table}")],
        "dynamodb:DescribeTable": [arn("dynamodb", f"table/{table}")],
        "dynamodb:DescribeTimeToLive": [arn("dynamodb", f"table/{table}")],
        "ecr:BatchCheckLayerAvailability": images,
        "ecr:BatchGetImage": images,
        "ecr:DescribeImages": images,
        "ecr:DescribeRepositories": images,
        "ecr:GetDownloadUrlForLayer": images,
        "ecr:GetLifecyclePolicy": images,
        "ecr:GetRepositoryPolicy": images,
        "ecr:PutImage": images,
        **dict.fromkeys(UPLOADS, images),
        "lambda:GetAlias": [*functions, *versions],
        "lambda:GetFunction": [*functions, *versions],
        "lambda:GetFunctionConcurrency": functions,
        "lambda:GetPolicy": [*functions, *versions],
        "lambda:InvokeFunction": [f"{function}:live" for function in functions],
        "lambda:ListVersionsByFunction": functions,
        "logs:CreateLogStream": kept_versions,
        "logs:FilterLogEvents": logs,
        "logs:PutLogEvents": kept_versions,
        "ssm:GetParameter": parameter,
        "ssm:GetParameterHistory": parameter,
    }


def policies_of(stage: str, template: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    template = template or delivery_template(stage)
    role = role_named(template, StageNames(stage).deploy_role)
    assert "ManagedPolicyArns" not in role
    assert not resources(template, "AWS::IAM::Policy")
    return [policy["PolicyDocument"] for policy in role["Policies"]]


def may(
    actions: list[tuple[str, str]], stage: str = "dev", *, template: dict[str, Any] | None = None
) -> list[tuple[str, str]]:
    """Return which of these (an action and a resource each) the stage's role may do."""
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/{StageNames(stage).deploy_role}"
    policies = policies_of(stage, template)
    questions = [
        Question(
            principal=role_arn,
            action=action,
            resource=resource,
            account=ACCOUNT,
            identityPolicies=policies,
        )
        for action, resource in actions
    ]
    return [one for one, answer in zip(actions, answers(questions), strict=True) if answer]


def one_by_one(of_stage: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(action, resource) for action, named in of_stage.items() for resource in named]


@pytest.mark.proof
@pytest.mark.parametrize("stage", ["dev", "prd"])
def test_whatever_the_release_commands_ask_of_a_stage_is_allowed(stage: str) -> None:
    wanted = [*one_by_one(resources_of(stage)), *FOR_THE_ACCOUNT.items()]
    assert may(wanted, stage) == wanted


@pytest.mark.proof
def test_nothing_of_another_stage_is_allowed() -> None:
    assert may(one_by_one(resources_of("prd")), "dev") == []
    assert may(one_by_one(resources_of("dev")), "prd") == []


@pytest.mark.proof
def test_every_call_of_the_release_commands_has_its_right_and_no_right_is_left_over() -> None:
    """A new call needs a right in ``constructs/deploy_role.py``, and a line in the table here."""
    known = {*resources_of("dev"), *FOR_THE_ACCOUNT}
    assert release_actions() == known - {*UPLOADS}
    granted: list[str] = []
    for policy in policies_of("dev"):
        for statement in policy["Statement"]:
            one_or_more = statement["Action"]
            granted += [one_or_more] if isinstance(one_or_more, str) else one_or_more
    assert sorted(granted) == sorted({*known, CDK})


@pytest.mark.proof
def test_permissions_that_are_not_needed_are_denied() -> None:
    names = StageNames("dev")
    function = arn("lambda", f"function:{names.function}")
    hook = arn("lambda", f"function:{names.prefix}-pre-traffic-hook")
    deployments = arn("codedeploy", f"deploymentgroup:{names.prefix}-rooms/live")
    images = arn("ecr", f"repository/{names.repository}")
    table = arn("dynamodb", f"table/{names.table}")
    bucket = f"arn:aws:s3:::{names.prefix}-page"
    role = f"arn:aws:iam::{ACCOUNT}:role/{names.deploy_role}"
    rooms = stack(names.rooms_stack)
    parameter = arn("ssm", f"parameter{names.release_parameter}")
    assert (
        may(
            [
                ("cloudformation:CreateChangeSet", rooms),
                ("cloudformation:DeleteStack", rooms),
                ("cloudformation:UpdateStack", rooms),
                ("cloudformation:CancelUpdateStack", stack(names.web_stack)),
                ("codedeploy:CreateDeployment", deployments),
                ("codedeploy:StopDeployment", "*"),
                ("dynamodb:GetItem", table),
                ("dynamodb:PutItem", table),
                ("dynamodb:Query", table),
                ("dynamodb:Scan", table),
                ("ecr:BatchDeleteImage", images),
                ("ecr:DeleteRepository", images),
                ("ecr:PutLifecyclePolicy", images),
                ("ecr:SetRepositoryPolicy", images),
                ("iam:AttachRolePolicy", role),
                ("iam:CreateRole", role),
                ("iam:PassRole", role),
                ("iam:PutRolePolicy", role),
                ("iam:UpdateAssumeRolePolicy", role),
                ("lambda:InvokeFunction", function),
                ("lambda:InvokeFunction", f"{function}:7"),
                ("lambda:InvokeFunction", f"{hook}:live"),
                ("lambda:UpdateAlias", function),
                ("lambda:UpdateFunctionCode", function),
                ("lambda:UpdateFunctionConfiguration", function),
                ("logs:DeleteLogGroup", arn("logs", f"log-group:/aws/lambda/{names.function}")),
                ("s3:DeleteObject", f"{bucket}/index.html"),
                ("s3:GetObject", f"{bucket}/index.html"),
                ("s3:ListBucket", bucket),
                ("s3:PutObject", f"{bucket}/index.html"),
                ("ssm:DeleteParameter", parameter),
                ("ssm:PutParameter", parameter),
                ("sts:AssumeRole", role),
                ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/Admin"),
            ]
        )
        == []
    )


@pytest.mark.proof
def test_in_its_account_a_role_reaches_every_stage_through_those_of_cdk_and_none_elsewhere() -> (
    None
):
    """Why two accounts are safer: the roles of `cdk bootstrap` are the account's, not a stage's."""
    deploys = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-deploy-role-{ACCOUNT}-{REGION}"
    elsewhere = deploys.replace(ACCOUNT, "210987654321")
    for stage in ("dev", "prd"):
        assert may([("sts:AssumeRole", deploys)], stage) == [("sts:AssumeRole", deploys)]
        assert may([("sts:AssumeRole", elsewhere)], stage) == []


def test_longer_names_are_not_matched() -> None:
    longer = [
        (action, resource.replace("-dev-rooms", "-dev-rooms2"))
        for action, resource in one_by_one(resources_of("dev"))
        if "-dev-rooms" in resource
    ]
    assert longer
    assert may(longer) == []


@pytest.mark.proof
@pytest.mark.parametrize(
    ("stage", "qualifier", "regions"),
    [
        ("dev", "hnb659fds", [REGION]),
        ("dev", "another", [REGION]),
        ("prd", "hnb659fds", [REGION, "us-east-1"]),
    ],
)
def test_the_cdk_cli_gets_the_roles_that_it_takes_and_not_that_of_cloudformation(
    stage: str, qualifier: str, regions: list[str]
) -> None:
    """In each Region that stacks of the stage go to, and in no other."""
    changed: dict[str, Any] = {
        "stage": stage,
        "github": GITHUB,
        "@aws-cdk/core:bootstrapQualifier": qualifier,
    }
    assembly = Path(build_app(context=context(**changed)).synth().directory)
    named = {
        filled_in({"Fn::Sub": role})
        for file in (assembly / "manifest.json", *assembly.glob("*.assets.json"))
        for role in re.findall(r'"(arn:[^"]+:role/[^"]+)"', file.read_text())
    }
    prefix = f"arn:aws:iam::{ACCOUNT}:role/cdk-{qualifier}-"
    taken, of_cloudformation = (
        {f"{prefix}{kind}-role-{ACCOUNT}-{region}" for kind in kinds for region in regions}
        for kinds in (("deploy", "file-publishing", "lookup"), ("cfn-exec",))
    )
    assert named == taken | of_cloudformation
    template = json.loads(
        (assembly / f"{StageNames(stage).delivery_stack}.template.json").read_text()
    )
    asked = [(CDK, role) for role in sorted(named)]
    assert may(asked, stage, template=template) == [(CDK, role) for role in sorted(taken)]
