"""Acknowledgments of findings of cdk-nag and cfn-lint that several constructs need."""

from collections.abc import Sequence

from aws_cdk import Acknowledgment, Aws, CfnResource, Stack, Validations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct


def acknowledge_versions(role: Construct, function: lambda_.IFunction, reason: str) -> None:
    """Acknowledge a policy for all versions of a function: ``<ARN>:*``."""
    resource = function.node.default_child
    assert isinstance(resource, CfnResource)  # noqa: S101  # for the type checker
    logical_id = Stack.of(function).get_logical_id(resource)
    Validations.of(role).acknowledge(
        Acknowledgment(id=f"AwsSolutions-IAM5[Resource::<{logical_id}.Arn>:*]", reason=reason)
    )


def acknowledge_wildcards(role: Construct, resources: Sequence[str], reason: str) -> None:
    """Acknowledge resources with wildcards in a policy."""
    Validations.of(role).acknowledge(
        *(
            Acknowledgment(
                id=f"AwsSolutions-IAM5[Resource::{as_in_finding(resource)}]", reason=reason
            )
            for resource in resources
        )
    )


def as_in_finding(arn: str) -> str:
    """Return an ARN as findings have it: with the names of what only the deployment knows."""
    for token, name in (
        (Aws.ACCOUNT_ID, "AccountId"),
        (Aws.PARTITION, "Partition"),
        (Aws.REGION, "Region"),
    ):
        arn = arn.replace(token, f"<AWS::{name}>")
    return arn


def acknowledge_double_dependencies(construct: Construct) -> None:
    """Let cfn-lint ignore a DependsOn that a reference already implies."""
    resource = construct.node.default_child
    assert isinstance(resource, CfnResource)  # noqa: S101  # for the type checker
    resource.add_metadata("cfn-lint", {"config": {"ignore_checks": ["W3005"]}})
