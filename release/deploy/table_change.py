"""Rooms that a deployment would leave behind: in another table, or with a stage's former name."""

import re
from collections.abc import Iterator, Mapping

from config.names import StageNames
from config.project import Project, Stage
from imagecheck.errors import FailedError
from imagecheck.image.aws import aws_errors
from release.deploy.live import Stack

# What a stack that is gone, or whose creation failed, may still be listed as.
_GONE = frozenset({"DELETE_COMPLETE", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"})


def deployed_table(stage: Stage, outputs: Mapping[str, str]) -> str | None:
    """Return the table that a stage has; None where it was never deployed.

    ``outputs`` are those of its rooms stack. Before there was one of this name, each stage had the
    table that its own name says.
    """
    return outputs.get("TableName", stage.names.first_table) if outputs else None


def left_in_table(stage: Stage, outputs: Mapping[str, str]) -> str | None:
    """Say what a deployment to another table leaves behind; None where the table stays."""
    before, after = deployed_table(stage, outputs), stage.names.table
    if before in (None, after):
        return None
    return (
        f"the table of {stage.name} changes from {before} to {after}: rooms that are live stay in"
        f" {before}, which nobody reads then; docs/restore.md, Another table"
    )


def left_by_a_rename(project: Project, stage: Stage) -> Iterator[str]:
    """Say, of a stage that was never deployed, which one of another name it may have been.

    Those are the stages that are deployed here and are not in ``cdk.json``. Who may not list
    stacks, as the role of a pipeline's job, is told of none.
    """
    try:
        deployed = sorted(_deployed_stages(stage))
    except FailedError:
        return
    for name in deployed:
        if name not in project.context["stages"]:
            former = StageNames(name)
            yield (
                f"{former.rooms_stack} is deployed here, and cdk.json has no stage {name}. If that"
                f" is {stage.name} now: its rooms stay in its own table ({former.first_table}, if"
                f" its settings named no other), which {stage.name} does not read;"
                " docs/restore.md, Another name for a stage"
            )


def left_behind(project: Project, stage: Stage, rooms: Stack | None) -> tuple[str, ...]:
    """Say what deploying a stage leaves behind. ``rooms`` is its rooms stack; None: there is none.

    Raises ConfigurationError where no Region is known.
    """
    if rooms is None:
        return tuple(left_by_a_rename(project, stage))
    moved = left_in_table(stage, rooms.outputs)
    return (moved,) if moved else ()


def _deployed_stages(stage: Stage) -> Iterator[str]:
    before, after = (re.escape(part) for part in StageNames("*").rooms_stack.split("*"))
    cloudformation = stage.client("cloudformation")
    with aws_errors("the stacks"):
        for page in cloudformation.get_paginator("list_stacks").paginate():
            for stack in page["StackSummaries"]:
                found = re.fullmatch(f"{before}(.+){after}", stack["StackName"])
                if found and stack["StackStatus"] not in _GONE:
                    yield found[1]
