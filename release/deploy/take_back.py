"""What becomes of a deployment that was interrupted."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from release.aws import aws_client, aws_errors
from release.deploy.interruption import uninterrupted
from release.deploy.live import ALIAS, Live, Stack, read_stack
from release.errors import CannotDoError
from release.project import Stage

LOOKS: Final = 3
"""So often, a second apart, it is looked whether CloudFormation has begun: it takes a moment."""

_DONE = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
)


@dataclass(frozen=True)
class Outcome:
    """How a deployment stands that was left. ``completed``: what was to be deployed is live."""

    message: str
    completed: bool = False


class InterruptedDeploymentError(KeyboardInterrupt):
    """A deployment was interrupted. The message says how it stands."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


class LeftDeploymentError(CannotDoError):
    """The CDK CLI failed while CloudFormation worked. The message says how that stands."""

    def __init__(self, outcome: Outcome, said: str) -> None:
        super().__init__(
            f"`cdk deploy` failed while CloudFormation worked; {outcome.message}\n  {said}"
        )
        self.outcome = outcome


def take_back(
    stage: Stage,
    before: Stack | None,
    live: Live | None,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Outcome:
    """Let CloudFormation take back what it has begun, as far as it can, and say how that stands.

    ``before`` and ``live`` are how things stood before. It does not wait for CloudFormation.
    """
    name = stage.names.rooms_stack
    stays = f"{ALIAS} stays at {live}" if live else "nothing is live"
    with uninterrupted():
        try:
            stack = _begun(stage, name, before, sleep)
            status = stack.status if stack else ""
            if status == "UPDATE_IN_PROGRESS" and not _cancelled(stage, name):
                # It ended in between.
                stack = read_stack(stage, name)
                status = stack.status if stack else ""
        except CannotDoError as error:
            return Outcome(
                f"whether CloudFormation works on it cannot be seen ({error}): look with\n"
                f"aws cloudformation describe-stacks --stack-name {name}"
            )
    if status in _DONE:
        return Outcome(
            f"but it came too late: {stage.name} is deployed\n"
            f"Go back with: python -m release rollback {stage.name}",
            completed=True,
        )
    if status == "CREATE_IN_PROGRESS":
        return Outcome(
            f"but CloudFormation goes on to make the stack {name}: what is made for the first time"
            " cannot be cancelled\n"
            f"See how it ends: aws cloudformation wait stack-create-complete --stack-name {name}"
        )
    if status.startswith("UPDATE_"):
        return Outcome(
            f"CloudFormation takes the update back, and {stays}\n"
            f"See it end: aws cloudformation wait stack-rollback-complete --stack-name {name}"
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

    cloudformation = aws_client("cloudformation", stage.settings.region)
    with aws_errors(f"the stack {name}"):
        try:
            cloudformation.cancel_update_stack(StackName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            return False
    return True
