"""Whom a role trusts that jobs of GitHub Actions take, with a token and without any key."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

ISSUER: Final = "token.actions.githubusercontent.com"
"""Who signs the tokens: https://docs.github.com/en/actions/reference/security/oidc."""

AUDIENCE: Final = "sts.amazonaws.com"
"""Whom the tokens are for that AWS's own action asks for."""


def github_jobs(
    scope: Construct, *, repository_id: str, subjects: Sequence[str], refs: Sequence[str]
) -> iam.IPrincipal:
    """Return the jobs of one repository, by what GitHub says of them in their tokens.

    All four claims have to fit. Which claims AWS compares:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif

    The account's provider is named, not referred to: it may be there from before.

    Args:
        scope: what it belongs to.
        repository_id: of the repository; its name could become somebody else's.
        subjects: the subjects of which a token has to have one.
        refs: patterns of which the job's branch or tag has to fit one.

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
