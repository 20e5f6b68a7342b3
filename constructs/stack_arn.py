"""How policies name a stack."""

from aws_cdk import Stack
from constructs import Construct


def stack_arn(scope: Construct, name: str) -> str:
    """Return the ARN of a stack of this account and Region, whatever id it has been given."""
    return Stack.of(scope).format_arn(
        service="cloudformation", resource="stack", resource_name=f"{name}/*"
    )
