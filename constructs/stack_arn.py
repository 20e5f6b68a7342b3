"""The ARN of a stack, for policies."""

from aws_cdk import Stack
from constructs import Construct


def stack_arn(scope: Construct, name: str, *, region: str | None = None) -> str:
    """Return the ARN of a stack in this account, with a wildcard for its id.

    Without a ``region`` the stack is in that of ``scope``.
    """
    return Stack.of(scope).format_arn(
        service="cloudformation", resource="stack", resource_name=f"{name}/*", region=region
    )
