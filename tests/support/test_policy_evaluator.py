"""The simulator denies what IAM would deny, and rejects questions that make no sense."""

from typing import Any

import pytest

from tests.support.policy_evaluator import allowed, assumable

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
TABLE = f"arn:aws:dynamodb:ap-northeast-1:{ACCOUNT}:table/t"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"


def policy(**statement: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}


def may(action: str, resource: str) -> bool:
    policies = [policy(Action="dynamodb:DescribeTable", Resource=TABLE)]
    return allowed(policies, principal_arn=ROLE, action=action, resource=resource, account=ACCOUNT)


def trust(claim: str, value: str) -> dict[str, Any]:
    return policy(
        Action="sts:AssumeRoleWithWebIdentity",
        Principal={"Federated": PROVIDER},
        Condition={"StringEquals": {f"token.actions.githubusercontent.com:{claim}": value}},
    )


@pytest.mark.proof
def test_an_action_is_allowed_where_a_policy_says_so_and_nowhere_else() -> None:
    assert may("dynamodb:DescribeTable", TABLE)
    assert not may("dynamodb:DescribeTable", f"{TABLE}2")
    assert not may("dynamodb:Scan", TABLE)


@pytest.mark.parametrize(
    ("action", "resource", "told"),
    [
        ("dynamodb:DescribeTabel", TABLE, "invalid.action"),
        ("dynamodb:DescribeTable", f"arn:aws:s3:::{ACCOUNT}", "no.resource.types"),
    ],
)
def test_a_question_about_nothing_is_an_error(action: str, resource: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        may(action, resource)


@pytest.mark.proof
@pytest.mark.parametrize("claim", ["sub", "aud", "repository_id", "ref"])
def test_a_claim_is_compared(claim: str) -> None:
    for value, answer in (("x", True), ("y", False)):
        claims = {claim: value}
        assert assumable(trust(claim, "x"), role_arn=ROLE, account=ACCOUNT, claims=claims) is answer


@pytest.mark.proof
def test_a_claim_that_aws_does_not_compare_lets_nobody_in() -> None:
    """Every token has ``event_name``, and STS has no condition key for it."""
    claims = {"event_name": "push"}
    given = trust("event_name", "push")
    assert not assumable(given, role_arn=ROLE, account=ACCOUNT, claims=claims)


@pytest.mark.proof
def test_a_trust_policy_that_is_none_is_an_error() -> None:
    given = {**policy(Action="sts:AssumeRole", Principal={"AWS": ROLE}, Effct="Allow")}
    with pytest.raises(AssertionError, match="the trust policy of"):
        assumable(given, role_arn=ROLE, account=ACCOUNT, claims={})
