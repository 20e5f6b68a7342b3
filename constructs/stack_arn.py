"""The ARN of a stack, for policies."""

from aws_cdk import Stack
from constructs import Construct


def stack_arn(scope: Construct, name: str) -> str:
    """Return the ARN of a stack in this account and Region, with a wildcard for its id."""
    return Stack.of(scope).format_arn(
        service="cloudformation", resource="stack", resource_name=f"{name}/*"
    )
