"""The trust policies of the roles for GitHub's jobs, in a simulator of IAM."""

import copy
from collections.abc import Mapping
from typing import Any, Final

import pytest

from config.names import StageNames
from tests.support.deployed_template import ACCOUNT, role_named
from tests.support.policy_evaluator import GITHUB, Question, answers, assuming
from tests.support.templates import delivery_template

DEV = StageNames("dev")
NAME, NAME_WITH_IDS = "octo-org/octo-repo", "octo-org@123456/octo-repo@456789"
PULL_REQUEST_REF = "refs/pull/7/merge"
USER: Final = f"arn:aws:iam::{ACCOUNT}:user/somebody"


def token(context: str, *, repository: str = NAME, **changed: str) -> dict[str, str]:
    """Return the claims of a job of the main branch; ``context`` is the end of its subject."""
    return {
        "aud": "sts.amazonaws.com",
        "sub": f"repo:{repository}:{context}",
        "ref": "refs/heads/main",
        "repository": "octo-org/octo-repo",
        "repository_id": "456789",
        **({"environment": context.partition(":")[2]} if context.startswith("environment") else {}),
        **changed,
    }


DEPLOY = "environment:dev"
MAY_DEPLOY: Mapping[str, dict[str, str]] = {
    "main": token(DEPLOY),
    "main, with ids": token(DEPLOY, repository=NAME_WITH_IDS),
    "release tag": token(DEPLOY, ref="refs/tags/v1.2.3"),
    "release tag, with ids": token(DEPLOY, repository=NAME_WITH_IDS, ref="refs/tags/v1.2.3"),
}
MAY_NOT_DEPLOY: Mapping[str, dict[str, str]] = {
    "other owner": token(DEPLOY, repository="evil-org/octo-repo", repository_id="777"),
    "other owner, with ids": token(
        DEPLOY, repository="evil-org@666/octo-repo@777", repository_id="777"
    ),
    "same name, made again": token(DEPLOY, repository_id="777"),
    "same name, made again, with ids": token(
        DEPLOY, repository="octo-org@123456/octo-repo@777", repository_id="777"
    ),
    "same name, owner made again": token(DEPLOY, repository="octo-org@666/octo-repo@456789"),
    "other repository of the owner": token(DEPLOY, repository="octo-org/x", repository_id="778"),
    "name that goes on": token(DEPLOY, repository="octo-org/octo-repo-2", repository_id="779"),
    "other branch": token(DEPLOY, ref="refs/heads/feature"),
    "branch called like main": token(DEPLOY, ref="refs/heads/main-2"),
    "branch called like a tag": token(DEPLOY, ref="refs/heads/v1.2.3"),
    "other tag": token(DEPLOY, ref="refs/tags/x"),
    "other environment": token("environment:prd"),
    "environment that goes on": token("environment:dev2"),
    "no environment": token("ref:refs/heads/main"),
    "pull request": token("pull_request", ref=PULL_REQUEST_REF),
    "pull request with the environment": token(DEPLOY, ref=PULL_REQUEST_REF),
    "pull request in the fork itself": token(
        DEPLOY, repository="forker/octo-repo", repository_id="780", ref=PULL_REQUEST_REF
    ),
    "main of a fork": token(DEPLOY, repository="forker/octo-repo", repository_id="780"),
    "other audience": token(DEPLOY, aud="https://github.com/octo-org"),
    "nothing but a subject": {"sub": f"repo:{NAME}:{DEPLOY}"},
}
MAY_DIFF: Mapping[str, dict[str, str]] = {
    "pull request": token("pull_request", ref=PULL_REQUEST_REF),
    "pull request, with ids": token("pull_request", repository=NAME_WITH_IDS, ref=PULL_REQUEST_REF),
}
MAY_NOT_DIFF: Mapping[str, dict[str, str]] = {
    "main": token("ref:refs/heads/main"),
    "environment": token(DEPLOY),
    "pull request with an environment": token(DEPLOY, ref=PULL_REQUEST_REF),
    "workflow of main for a pull request": token("pull_request"),
    "same name, made again": token("pull_request", ref=PULL_REQUEST_REF, repository_id="777"),
    "other repository": token(
        "pull_request", repository="evil-org/octo-repo", repository_id="777", ref=PULL_REQUEST_REF
    ),
    "other audience": token("pull_request", ref=PULL_REQUEST_REF, aud="somebody"),
}
# What nothing else than this one condition keeps out.
KEPT_OUT_BY = {
    "aud": ["other audience"],
    "sub": [
        "same name, owner made again",
        "other environment",
        "environment that goes on",
        "no environment",
    ],
    "repository_id": ["same name, made again"],
    "ref": [
        "other branch",
        "branch called like main",
        "branch called like a tag",
        "other tag",
        "pull request with the environment",
    ],
}


def trust_of(role: str) -> dict[str, Any]:
    trust: dict[str, Any] = role_named(delivery_template(), role)["AssumeRolePolicyDocument"]
    return trust


def without(trust: Mapping[str, Any], claim: str) -> dict[str, Any]:
    """Return a trust policy that does not look at a claim."""
    changed = copy.deepcopy(dict(trust))
    (statement,) = changed["Statement"]
    for operator, conditions in list(statement["Condition"].items()):
        if conditions.pop(f"{GITHUB}:{claim}", None) and not conditions:
            del statement["Condition"][operator]
    assert changed != trust
    return changed


def admitted(
    trust: Mapping[str, Any], tokens: Mapping[str, dict[str, str]], *, issuer: str = GITHUB
) -> list[str]:
    """Return the names of the tokens that get the role."""
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/{DEV.deploy_role}"
    questions = [
        assuming(trust, role_arn=role_arn, account=ACCOUNT, claims=claims, issuer=issuer)
        for claims in tokens.values()
    ]
    answered = zip(tokens, answers(questions), strict=True)
    return [name for name, is_admitted in answered if is_admitted]


def test_only_main_and_release_tags_in_the_stages_environment_may_deploy() -> None:
    tokens = {**MAY_NOT_DEPLOY, **MAY_DEPLOY}
    assert admitted(trust_of(DEV.deploy_role), tokens) == list(MAY_DEPLOY)


def test_only_pull_requests_of_the_repository_may_diff() -> None:
    tokens = {
        **{f"not: {name}": claims for name, claims in MAY_NOT_DIFF.items()},
        **MAY_DIFF,
    }
    assert admitted(trust_of(DEV.diff_role), tokens) == list(MAY_DIFF)


@pytest.mark.proof
@pytest.mark.parametrize("claim", KEPT_OUT_BY)
def test_no_condition_could_be_left_out(claim: str) -> None:
    mutant = without(trust_of(DEV.deploy_role), claim)
    assert admitted(mutant, MAY_NOT_DEPLOY) == KEPT_OUT_BY[claim]


@pytest.mark.proof
@pytest.mark.parametrize("role", [DEV.deploy_role, DEV.diff_role])
def test_a_token_of_another_issuer_says_nothing(role: str) -> None:
    everybody = {
        f"{name} {index}": claims
        for index, tokens in enumerate((MAY_DEPLOY, MAY_DIFF))
        for name, claims in tokens.items()
    }
    assert admitted(trust_of(role), everybody, issuer="token.actions.example.com") == []


@pytest.mark.parametrize("role", [DEV.deploy_role, DEV.diff_role])
def test_no_user_of_the_account_gets_a_role_of_github(role: str) -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    questions = [
        Question(
            principal=USER,
            action=action,
            resource=f"arn:aws:iam::{ACCOUNT}:role/{role}",
            account=ACCOUNT,
            context={f"{GITHUB}:{name}": value for name, value in MAY_DEPLOY["main"].items()},
            identityPolicies=[{"Version": "2012-10-17", "Statement": [everything]}],
            trustPolicy=trust_of(role),
        )
        for action in ("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity")
    ]
    assert answers(questions) == [False, False]


@pytest.mark.proof
def test_the_stages_trust_each_its_own_environment() -> None:
    tokens = {stage: token(f"environment:{stage}") for stage in ("local", "dev", "prd")}
    role = StageNames("prd").deploy_role
    trust = role_named(delivery_template("prd"), role)["AssumeRolePolicyDocument"]
    assert admitted(trust, tokens) == ["prd"]
