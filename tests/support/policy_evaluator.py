"""Evaluates IAM policies with a simulator.

It knows which actions there are, which resources each has, and which claims of a token STS
compares. An action or a resource that does not exist is an error, so that no test is green for a
typing mistake.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

GITHUB: Final = "token.actions.githubusercontent.com"

_SCRIPT = Path(__file__).with_suffix(".mjs")


@dataclass(frozen=True, kw_only=True)
class Question:
    """May this principal do this?"""

    principal: str
    action: str
    resource: str
    account: str
    context: Mapping[str, str] = field(default_factory=dict)
    identityPolicies: Sequence[Mapping[str, Any]] = ()  # noqa: N815  (as the script reads it)
    trustPolicy: Mapping[str, Any] | None = None  # noqa: N815


def answers(questions: Sequence[Question]) -> list[bool]:
    """Answer all questions at once: a Node process takes half a second to start."""
    done = subprocess.run(
        [Path(sys.executable).with_name("node"), _SCRIPT],
        input=json.dumps([vars(question) for question in questions]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answered: list[bool] = json.loads(done.stdout)
    return answered


def assumable(
    trust_policy: Mapping[str, Any], *, role_arn: str, account: str, claims: Mapping[str, str]
) -> bool:
    """Whether a job of GitHub's with these claims in its token gets the role."""
    question = assuming(trust_policy, role_arn=role_arn, account=account, claims=claims)
    return answers([question])[0]


def allowed(
    identity_policies: Sequence[Mapping[str, Any]],
    *,
    principal_arn: str,
    action: str,
    resource: str,
    account: str,
    context: Mapping[str, str] | None = None,
) -> bool:
    """Whether a principal with these policies may do something to a resource of its account."""
    question = Question(
        principal=principal_arn,
        action=action,
        resource=resource,
        account=account,
        context=context or {},
        identityPolicies=identity_policies,
    )
    return answers([question])[0]


def assuming(
    trust_policy: Mapping[str, Any],
    *,
    role_arn: str,
    account: str,
    claims: Mapping[str, str],
    issuer: str = GITHUB,
) -> Question:
    """Return the question of a token's holder for a role; ``issuer`` is who signed the token."""
    return Question(
        principal=f"arn:aws:iam::{account}:oidc-provider/{issuer}",
        action="sts:AssumeRoleWithWebIdentity",
        resource=role_arn,
        account=account,
        context={f"{issuer}:{name}": value for name, value in claims.items()},
        trustPolicy=trust_policy,
    )
