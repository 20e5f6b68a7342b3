"""The stack of what an AWS account knows GitHub by."""

from typing import Any

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.github_trust import AUDIENCE, ISSUER


class GithubStack(Stack):
    """The identity provider for the tokens of GitHub's jobs.

    An account has one for each issuer, whoever uses it, so it stays when the stack is deleted.
    It lets nobody in: roles do, which name whom they trust.
    """

    def __init__(self, scope: Construct, construct_id: str, **stack: Any) -> None:
        super().__init__(scope, construct_id, **stack)
        provider = iam.OidcProviderNative(
            self,
            "Provider",
            url=f"https://{ISSUER}",
            client_ids=[AUDIENCE],
            removal_policy=RemovalPolicy.RETAIN,
        )
        CfnOutput(self, "ProviderArn", value=provider.oidc_provider_arn)
