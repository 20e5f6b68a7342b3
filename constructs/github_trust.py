"""The principal for jobs of GitHub Actions, which assume a role with an OIDC token."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

ISSUER: Final = "token.actions.githubusercontent.com"
"""The issuer of the tokens: https://docs.github.com/en/actions/reference/security/oidc."""

AUDIENCE: Final = "sts.amazonaws.com"
"""The audience of the tokens that aws-actions/configure-aws-credentials requests."""


def github_jobs(
    scope: Construct, *, repository_id: str, subjects: Sequence[str], refs: Sequence[str]
) -> iam.IPrincipal:
    """Return the principal for jobs of one repository; all four claims of the token must match.

    The claims that AWS supports:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif

    The provider is named by its ARN, because the account may already have it.

    Args:
        scope: a construct in the stack of the role.
        repository_id: of the repository; its name could become somebody else's.
        subjects: the allowed subjects.
        refs: patterns for the allowed branches and tags.

    """
    return iam.WebIdentityPrincipal(
        Stack.of(scope).format_arn(
            service="iam", region="", resource="oidc-provider", resource_name=ISSUER
        ),
        {
            "StringEquals": {
                f"{ISSUER}:aud": AUDIENCE,
                f"{ISSUER}:sub": list(subjects),
                f"{ISSUER}:repository_id": repository_id,
            },
            "StringLike": {f"{ISSUER}:ref": list(refs)},
        },
    )
