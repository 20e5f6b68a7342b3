"""The events of a CloudFormation stack, and the first failure among them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.project import Stage
from imagecheck.image.aws import aws_errors


@dataclass(frozen=True)
class StackEvent:
    """What happened to a resource of a stack, or to the stack itself."""

    event_id: str
    at: datetime
    logical_id: str
    type: str
    status: str
    reason: str
    of_the_stack: bool


def read_events(stage: Stage, stack: str, *, after: str | None = None) -> list[StackEvent]:
    """Return the events of a stack, the oldest first: those after the one with the id ``after``.

    A stack that is not there has none. Raises FailedError when AWS cannot be asked.
    """
    found: list[StackEvent] = []
    with _no_events_without_a_stack(stack):
        pages = stage.client("cloudformation").get_paginator("describe_stack_events")
        # The newest come first.
        for page in pages.paginate(StackName=stack):
            for event in map(_event, page["StackEvents"]):
                if event.event_id == after:
                    return found[::-1]
                found.append(event)
    return found[::-1]


def last_event_id(stage: Stage, stack: str) -> str | None:
    """Return the id of the newest event; None for a stack that is not there.

    Raises FailedError when AWS cannot be asked.
    """
    with _no_events_without_a_stack(stack):
        # The newest come first.
        page = stage.client("cloudformation").describe_stack_events(StackName=stack)
        for event in page["StackEvents"]:
            return str(event["EventId"])
    return None


def first_failure(events: Sequence[StackEvent]) -> StackEvent | None:
    """Return what failed first: what comes after it, is cancelled or rolled back for it."""
    failed = [
        event
        for event in events
        if event.status.endswith("_FAILED") and "cancelled" not in event.reason
    ]
    of_resources = [event for event in failed if not event.of_the_stack]
    rolled_back = [event for event in events if "ROLLBACK" in event.status and event.reason]
    return next(iter([*of_resources, *failed, *rolled_back]), None)


@contextmanager
def _no_events_without_a_stack(stack: str) -> Iterator[None]:
    from botocore.exceptions import ClientError  # noqa: PLC0415  (slow, and needed here only)

    with aws_errors(f"the stack {stack}"):
        try:
            yield
        except ClientError as error:
            # What CloudFormation answers for a stack that is not there.
            if error.response["Error"]["Code"] != "ValidationError":
                raise


def _event(event: dict[str, Any]) -> StackEvent:
    return StackEvent(
        event_id=event["EventId"],
        at=event["Timestamp"],
        logical_id=event.get("LogicalResourceId", ""),
        type=event.get("ResourceType", ""),
        status=event.get("ResourceStatus", ""),
        reason=event.get("ResourceStatusReason", ""),
        of_the_stack=event.get("PhysicalResourceId") == event["StackId"],
    )
