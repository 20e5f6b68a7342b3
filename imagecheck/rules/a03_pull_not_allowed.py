"""The repository's policy does not let Lambda pull."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from imagecheck.rule import CREATE, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_PULL = {"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}


def check(subject: "Subject") -> Iterator[Problem]:
    """Read the policy, where ECR was asked."""
    if subject.repository is None:
        return
    if subject.repository.unseen:
        yield Problem(
            f"whether Lambda may pull the image could not be checked: {subject.repository.unseen}",
            "allow ecr:DescribeImages and ecr:GetRepositoryPolicy to you",
            severity="warning",
        )
        return
    policy = subject.repository.policy
    if policy is None:
        yield Problem(
            "the repository has no policy, so Lambda may pull only if the deployer may set one",
            severity="warning",
        )
        return
    allowed, denied = _lambda_actions(policy)
    if denied & _PULL:
        names = " and ".join(sorted(denied & _PULL))
        yield Problem(f"the repository's policy denies {names} to Lambda")
    elif not allowed >= _PULL:
        names = " and ".join(sorted(_PULL - allowed))
        yield Problem(
            f"the repository's policy does not allow {names} to Lambda", severity="warning"
        )


def _lambda_actions(policy: str) -> tuple[set[str], set[str]]:
    """Return what the statements for Lambda allow and deny, conditions left aside."""
    allowed: set[str] = set()
    denied: set[str] = set()
    try:
        statements = msgspec.json.decode(policy).get("Statement", [])
    except (msgspec.DecodeError, AttributeError):
        return allowed, denied
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else principal
        services = [services] if isinstance(services, str) else services
        if not {"lambda.amazonaws.com", "*"} & set(services):
            continue
        actions = statement.get("Action", [])
        patterns = [actions] if isinstance(actions, str) else actions
        named = {
            action
            for action in _PULL
            for pattern in patterns
            if re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE)
        }
        (allowed if statement.get("Effect") == "Allow" else denied).update(named)
    return allowed, denied


RULE = Rule(
    id="A3",
    title="Lambda may not pull the image",
    severity="error",
    error_type="ImageAccessDenied",
    when=CREATE,
    why=(
        "The repository's policy has to let lambda.amazonaws.com read the image. Lambda adds"
        " that statement itself if the creator of the function may change the policy, but never"
        " if a statement denies it. Lambda reads the image again later, so removing the policy"
        " afterwards stops the function."
    ),
    fix=(
        "Allow ecr:BatchGetImage and ecr:GetDownloadUrlForLayer to lambda.amazonaws.com in"
        " the repository's policy."
    ),
    source="https://docs.aws.amazon.com/lambda/latest/dg/images-create.html",
    bad="""\
{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "ecr:*"}]}
""",
    good="""\
{"Statement": [{
  "Effect": "Allow",
  "Principal": {"Service": "lambda.amazonaws.com"},
  "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
}]}
""",
    check=check,
)
