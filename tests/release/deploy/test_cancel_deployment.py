"""An interrupted deployment, in each state that CloudFormation can be in."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

import release.deploy.cancel_deployment
import release.deploy.live
from config.project import Project, Stage
from release.deploy.cancel_deployment import Outcome, cancel_deployment
from release.deploy.live import Live, Stack
from tests.support.cdk_context import CDK_JSON

STAGE: Stage = Project(Path("/"), CDK_JSON["context"]).stage("dev")
NAME = STAGE.names.rooms_stack
EARLIER = datetime(2026, 11, 25, tzinfo=UTC)
LATER = datetime(2026, 11, 26, tzinfo=UTC)
BEFORE = Stack(NAME, "UPDATE_COMPLETE", {}, EARLIER)
LIVE = Live("f", "3", "image", "sha256:1", "Active")
STAYS = "live stays at version 3 (sha256:1)"


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client: Any = boto3.client(
        "cloudformation", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    monkeypatch.setattr(Stage, "client", lambda *_: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def is_at(stubber: Stubber, status: str, updated: datetime = LATER) -> None:
    stack = {
        "StackName": NAME,
        "StackStatus": status,
        "CreationTime": EARLIER,
        "LastUpdatedTime": updated,
    }
    stubber.add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": NAME})


def taken_back(before: Stack | None = BEFORE, live: Live | None = LIVE) -> Outcome:
    return cancel_deployment(STAGE, before, live, sleep=lambda _: None)


def test_an_update_is_cancelled(cloudformation: Stubber) -> None:
    is_at(cloudformation, "UPDATE_IN_PROGRESS")
    cloudformation.add_response("cancel_update_stack", {}, {"StackName": NAME})

    interrupted = taken_back()

    assert not interrupted.completed
    assert interrupted.message == f"CloudFormation rolls the update back, and {STAYS}"
    assert interrupted.hint == (
        "wait for it: aws cloudformation wait stack-rollback-complete --region ap-northeast-1"
        f" --stack-name {NAME}"
    )


def test_cloudformation_may_need_a_moment_to_begin(cloudformation: Stubber) -> None:
    is_at(cloudformation, "UPDATE_COMPLETE", EARLIER)
    is_at(cloudformation, "UPDATE_IN_PROGRESS")
    cloudformation.add_response("cancel_update_stack", {})

    assert "rolls the update back" in taken_back().message


@pytest.mark.parametrize("status", ["UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"])
def test_it_may_be_too_late(cloudformation: Stubber, status: str) -> None:
    is_at(cloudformation, status)

    interrupted = taken_back()

    assert interrupted.completed
    assert "but it came too late: dev is deployed" in interrupted.message
    assert interrupted.hint == "roll back: python -m release rollback dev"


def test_it_may_end_while_it_is_cancelled(cloudformation: Stubber) -> None:
    is_at(cloudformation, "UPDATE_IN_PROGRESS")
    cloudformation.add_client_error("cancel_update_stack", "ValidationError")
    is_at(cloudformation, "UPDATE_COMPLETE")

    assert taken_back().completed


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"])
def test_it_may_be_going_back_already(cloudformation: Stubber, status: str) -> None:
    is_at(cloudformation, status)

    assert f"CloudFormation rolls the update back, and {STAYS}" in taken_back().message


def test_nothing_may_have_begun(cloudformation: Stubber) -> None:
    for _ in range(release.deploy.cancel_deployment.LOOKS):
        is_at(cloudformation, "UPDATE_COMPLETE", EARLIER)

    interrupted = taken_back()

    assert (interrupted.message, interrupted.completed) == (
        f"nothing was deployed, and {STAYS}",
        False,
    )


@pytest.mark.parametrize("there", [True, False])
def test_nothing_may_have_begun_of_a_first_deployment(cloudformation: Stubber, there: bool) -> None:
    """A change set that was not executed leaves a stack without anything in it."""
    for _ in range(release.deploy.cancel_deployment.LOOKS):
        if there:
            is_at(cloudformation, "REVIEW_IN_PROGRESS")
        else:
            cloudformation.add_client_error("describe_stacks", "ValidationError")

    assert taken_back(None, None).message == "nothing was deployed, and nothing is live"


def test_a_first_creation_goes_on(cloudformation: Stubber) -> None:
    is_at(cloudformation, "CREATE_IN_PROGRESS")

    interrupted = taken_back(None, None)

    assert not interrupted.completed
    assert "cannot be cancelled" in interrupted.message
    assert str(interrupted.hint).endswith(
        f"wait stack-create-complete --region ap-northeast-1 --stack-name {NAME}"
    )


def test_a_first_creation_may_be_over(cloudformation: Stubber) -> None:
    is_at(cloudformation, "CREATE_COMPLETE")

    assert taken_back(None, None).completed


@pytest.mark.parametrize(
    ("operation", "status"),
    [("describe_stacks", ""), ("cancel_update_stack", "UPDATE_IN_PROGRESS")],
)
def test_what_cannot_be_seen_is_said(cloudformation: Stubber, operation: str, status: str) -> None:
    if status:
        is_at(cloudformation, status)
    cloudformation.add_client_error(operation, "AccessDenied")

    interrupted = taken_back()

    assert not interrupted.completed
    assert "whether CloudFormation works on it is unknown" in interrupted.message
    assert interrupted.hint == (
        f"aws cloudformation describe-stacks --region ap-northeast-1 --stack-name {NAME}"
    )


def test_nothing_interrupts_it(cloudformation: Stubber) -> None:
    """Who is impatient presses Ctrl-C again."""

    def interrupted_again(_: float) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)

    is_at(cloudformation, "UPDATE_COMPLETE", EARLIER)
    is_at(cloudformation, "UPDATE_IN_PROGRESS")
    cloudformation.add_response("cancel_update_stack", {})

    cancel_deployment(STAGE, BEFORE, LIVE, sleep=interrupted_again)

    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
