"""The provider that all stages of an account share."""

from typing import Any

from aws_cdk import App, Environment
from aws_cdk.assertions import Template

from config.names import GITHUB_STACK
from stacks.github_stack import GithubStack
from tests.support.policy_evaluator import GITHUB
from tests.support.templates import only, resources


def github_template() -> dict[str, Any]:
    stack = GithubStack(App(), GITHUB_STACK, env=Environment(region="ap-northeast-1"))
    return dict(Template.from_stack(stack).to_json())


def test_it_knows_the_issuer_of_githubs_tokens_and_takes_those_that_are_for_aws() -> None:
    assert only(github_template(), "AWS::IAM::OIDCProvider") == {
        "Url": f"https://{GITHUB}",
        "ClientIdList": ["sts.amazonaws.com"],
    }


def test_others_may_use_the_provider_so_it_outlives_the_stack() -> None:
    (provider,) = resources(github_template(), "AWS::IAM::OIDCProvider").values()
    assert provider["DeletionPolicy"] == provider["UpdateReplacePolicy"] == "Retain"


def test_no_code_of_ours_makes_it() -> None:
    assert [each["Type"] for each in github_template()["Resources"].values()] == [
        "AWS::IAM::OIDCProvider"
    ]
