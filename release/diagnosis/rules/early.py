"""Rules for a stage that has nothing live: it was never deployed, or its stack is deleted.

No rule about a function that runs or fails applies to it.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from collections.abc import Iterator
from typing import Final

from release.diagnosis.cause import Evidence, FailureCause, Remedy, seen
from release.diagnosis.facts import ABSENT, FunctionFacts, StackFacts, StageFacts
from release.diagnosis.remedies import aws_command, release_command

_UNDER_WAY: Final = {
    "CREATE_IN_PROGRESS": (
        "stack-create-complete", "The stage {} is being deployed for the first time",
    ),
    "ROLLBACK_IN_PROGRESS": (
        "stack-rollback-complete", "The first deployment of {} failed, and is being rolled back",
    ),
    "DELETE_IN_PROGRESS": ("stack-delete-complete", "The stage {} is being deleted"),
}  # fmt: skip
"""The waiter of the AWS CLI, and what happens, by the stack's status."""


def never_deployed(facts: StageFacts) -> Iterator[FailureCause]:
    """There is no stack, or none but a change set for one."""
    stage = facts.stage
    stack = facts.stack
    if isinstance(stack, StackFacts) and stack.status == "REVIEW_IN_PROGRESS":
        found = f"{stage.names.rooms_stack}: {stack.status}, a change set and no resources"
    elif stack is ABSENT:
        found = f"there is no stack {stage.names.rooms_stack}"
    else:
        return
    yield FailureCause(
        name="never-deployed",
        title=f"Nothing is deployed for the stage {stage.name}",
        likelihood="certain",
        evidence=(seen("CloudFormation", found), *_of_function(facts)),
        fix=(*_free_the_names(facts), first_deployment(facts)),
        explanation=f"Checked in {stage.region}, in the account of the credentials (the first line"
        f" names it); {stage.elsewhere}.",
    )


def is_under_way(facts: StageFacts) -> Iterator[FailureCause]:
    """CloudFormation creates the stack, takes that back, or deletes it."""
    stack = facts.stack
    if not isinstance(stack, StackFacts) or stack.status not in _UNDER_WAY:
        return
    waiter, title = _UNDER_WAY[stack.status]
    stage = facts.stage
    name = stage.names.rooms_stack
    yield FailureCause(
        name="stack-under-way",
        title=title.format(stage.name),
        likelihood="certain",
        error_type=stack.status,
        evidence=(seen("CloudFormation", f"{name}: {stack.status}"),),
        fix=(
            Remedy(
                "wait until that has ended",
                aws_command("cloudformation", f"wait {waiter}", stage, stack_name=name),
            ),
            Remedy("diagnose again", release_command("diagnose", stage)),
        ),
        explanation="Nothing of the stage is live, so no player is affected.",
    )


def first_deployment(facts: StageFacts) -> Remedy:
    """Return the command that deploys a stage which has no stack.

    A table that is retained stays without its stack, and is in the way of the next one.
    """
    stage = facts.stage
    if isinstance(facts.table, str) and stage.settings.retain_data:
        return Remedy(
            f"deploy, and take over the table {stage.names.table}, which is there without a stack",
            release_command("deploy", stage, "--import-existing-resources"),
        )
    return Remedy("run every step that is missing", release_command("ship", stage))


def _free_the_names(facts: StageFacts) -> Iterator[Remedy]:
    """Yield what to do about things that have names of the stack's, and are no stack's."""
    stage, table = facts.stage, facts.stage.names.table
    if isinstance(facts.latest, FunctionFacts):
        yield Remedy(
            "look at the function, and delete it: it has the name of the stack's",
            aws_command("lambda", "delete-function", stage, function_name=facts.function_name),
        )
    if isinstance(facts.table, str) and not stage.settings.retain_data:
        yield Remedy(
            "look at the table, and delete it: it has the name of the stack's",
            aws_command("dynamodb", "delete-table", stage, table_name=table),
        )


def _of_function(facts: StageFacts) -> tuple[Evidence, ...]:
    if facts.latest is None:
        return ()
    found = "no function" if facts.latest is ABSENT else "a function"
    return (seen("GetFunction", f"there is {found} {facts.function_name}"),)
