"""The diff role may read the templates of its stage, and nothing else."""

import pytest

from config.names import GITHUB_STACK, StageNames
from tests.support.deployed_template import ACCOUNT, REGION, role_named
from tests.support.policy_evaluator import Question, answers
from tests.support.templates import delivery_template

DEV, PRD = StageNames("dev"), StageNames("prd")
OF_DEV = (DEV.registry_stack, DEV.rooms_stack, DEV.web_stack, DEV.delivery_stack, GITHUB_STACK)
OF_PRD = (PRD.registry_stack, PRD.rooms_stack, PRD.web_stack, PRD.delivery_stack)
READ = ("cloudformation:DescribeStacks", "cloudformation:GetTemplate")


def stack(name: str, region: str = REGION) -> str:
    return f"arn:aws:cloudformation:{region}:{ACCOUNT}:stack/{name}/0f6ab3c0-0000-11ef"


def may(actions: list[tuple[str, str]], names: StageNames = DEV) -> list[tuple[str, str]]:
    role = role_named(delivery_template(names.stage), names.diff_role)
    questions = [
        Question(
            principal=f"arn:aws:iam::{ACCOUNT}:role/{names.diff_role}",
            action=action,
            resource=resource,
            account=ACCOUNT,
            identityPolicies=[policy["PolicyDocument"] for policy in role["Policies"]],
        )
        for action, resource in actions
    ]
    return [one for one, answer in zip(actions, answers(questions), strict=True) if answer]


def test_every_template_of_the_stage_is_read() -> None:
    wanted = [(action, stack(name)) for action in READ for name in OF_DEV]
    assert may(wanted) == wanted


@pytest.mark.proof
def test_nothing_of_another_stage_is() -> None:
    assert may([(action, stack(name)) for action in READ for name in OF_PRD]) == []


@pytest.mark.proof
def test_nothing_else_is_allowed() -> None:
    rooms = stack(DEV.rooms_stack)
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{DEV.table}"
    # The lookup role reads everything in the account.
    roles = [
        f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-{kind}-role-{ACCOUNT}-{REGION}"
        for kind in ("deploy", "file-publishing", "lookup", "cfn-exec")
    ]
    assert (
        may(
            [
                ("cloudformation:CancelUpdateStack", rooms),
                ("cloudformation:CreateChangeSet", rooms),
                ("cloudformation:DeleteStack", rooms),
                ("cloudformation:DescribeStackEvents", rooms),
                ("dynamodb:DescribeTable", table),
                ("dynamodb:GetItem", table),
                *(("sts:AssumeRole", role) for role in roles),
            ]
        )
        == []
    )


@pytest.mark.proof
def test_the_guard_of_a_stage_is_read_in_its_own_region() -> None:
    there, here = stack(PRD.guard_stack, "us-east-1"), stack(PRD.guard_stack)
    asked = [(action, each) for action in READ for each in (there, here)]
    assert may(asked, PRD) == [(action, there) for action in READ]
    assert may(asked, DEV) == []
