"""The stack with GitHub's OIDC provider, of which an account has one."""

from typing import Any

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct
from constructs.github_trust import AUDIENCE, ISSUER


class GithubStack(Stack):
    """The identity provider for the tokens of GitHub's jobs.

    An account has one for each issuer, so it is kept when the stack is deleted. It grants nothing:
    only the roles that trust it do.
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
