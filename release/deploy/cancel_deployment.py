"""Cancels a deployment that was interrupted, and says how it stands."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from config.project import Stage
from imagecheck.errors import FailedError
from imagecheck.image.aws import aws_errors
from release.deploy.live import ALIAS, Live, Stack, read_stack
from release.deploy.signals import ignored_signals

LOOKS: Final = 3
"""How often the stack is read, a second apart, until CloudFormation has begun."""

_DONE = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
)


@dataclass(frozen=True)
class Outcome:
    """How a deployment stands that was left, and what to do next.

    ``completed``: it is live.
    """

    message: str
    hint: str | None = None
    completed: bool = False


class InterruptedDeploymentError(KeyboardInterrupt):
    """A deployment was interrupted. The message says how it stands; hints are further lines."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("\n".join(filter(None, (outcome.message, outcome.hint))))
        self.outcome = outcome


class LeftDeploymentError(FailedError):
    """The CDK CLI failed while CloudFormation worked. The message says how that stands."""

    def __init__(self, outcome: Outcome, said: str) -> None:
        super().__init__(
            f"`cdk deploy` failed while CloudFormation worked; {outcome.message}\n  {said}",
            hint=outcome.hint,
        )
        self.outcome = outcome


def cancel_deployment(
    stage: Stage,
    before: Stack | None,
    live: Live | None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Cancel what CloudFormation has begun, as far as it can, and return how it stands.

    ``before`` and ``live`` are how things stood before. It does not wait for CloudFormation.
    """
    name = stage.names.rooms_stack
    stays = f"{ALIAS} stays at {live}" if live else "nothing is live"
    with ignored_signals():
        try:
            stack = _begun(stage, name, before, sleep)
            status = stack.status if stack else ""
            if status == "UPDATE_IN_PROGRESS" and not _cancelled(stage, name):
                # It ended in between.
                stack = read_stack(stage, name)
                status = stack.status if stack else ""
        except FailedError as error:
            return Outcome(
                f"whether CloudFormation works on it is unknown ({error})",
                f"aws cloudformation describe-stacks --region {stage.region} --stack-name {name}",
            )
    if status in _DONE:
        return Outcome(
            f"but it came too late: {stage.name} is deployed",
            f"roll back: python -m release rollback {stage.name}",
            completed=True,
        )
    if status == "CREATE_IN_PROGRESS":
        return Outcome(
            f"but CloudFormation goes on to create the stack {name}: a first deployment cannot be"
            " cancelled",
            f"wait for it: aws cloudformation wait stack-create-complete --region {stage.region}"
            f" --stack-name {name}",
        )
    if status.startswith("UPDATE_"):
        return Outcome(
            f"CloudFormation rolls the update back, and {stays}",
            f"wait for it: aws cloudformation wait stack-rollback-complete --region {stage.region}"
            f" --stack-name {name}",
        )
    return Outcome(f"nothing was deployed, and {stays}")


def _begun(
    stage: Stage, name: str, before: Stack | None, sleep: Callable[[float], None]
) -> Stack | None:
    """Return the stack when it is not as it was before; None when it is."""
    for look in range(LOOKS):
        if look:
            sleep(1)
        stack = read_stack(stage, name)
        if stack and stack != before and stack.status != "REVIEW_IN_PROGRESS":
            return stack
    return None


def _cancelled(stage: Stage, name: str) -> bool:
    """Cancel an update. False: there is none to cancel any more.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CancelUpdateStack.html
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415  (slow, and needed here only)

    cloudformation = stage.client("cloudformation")
    with aws_errors(f"the stack {name}"):
        try:
            cloudformation.cancel_update_stack(StackName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            return False
    return True
