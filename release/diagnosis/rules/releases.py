"""Rules for the stack, for changes outside of it, and for its alarms.

A deployment that was refused has its own module: ``release.diagnosis.refused``.
"""

from collections.abc import Iterator
from typing import Final

from release.diagnosis.cause import Evidence, FailureCause, Remedy, lowered, seen
from release.diagnosis.facts import FailedResource, FunctionFacts, StackFacts, StageFacts
from release.diagnosis.image_faults import ImageFault, image_fault
from release.diagnosis.remedies import aws_command, push_again, release_command
from release.diagnosis.rules.early import first_deployment

_IMAGE_GONE: Final = ("does not exist", "deleted image")
_ROLLBACK_FAILED: Final = "UPDATE_ROLLBACK_FAILED"
_DELETE_FAILED: Final = "DELETE_FAILED"
_STUCK: Final = (
    _ROLLBACK_FAILED,
    "ROLLBACK_FAILED",
    "ROLLBACK_COMPLETE",
    "CREATE_FAILED",
    "UPDATE_FAILED",
    "DELETE_FAILED",
    "IMPORT_ROLLBACK_FAILED",
)


def stack_is_stuck(facts: StageFacts) -> Iterator[FailureCause]:
    """A6, and the other states that no deployment can start in.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-continueupdaterollback.html
    """
    if not isinstance(facts.stack, StackFacts) or facts.stack.status not in _STUCK:
        return
    stage, stack = facts.stage, facts.stack
    failed = [
        failure for failure in stack.failures if failure.logical_id and failure.type != _STACK_TYPE
    ]
    is_image = any(_is_image_gone(failure) for failure in failed)
    fault = next(filter(None, (image_fault(failure.reason) for failure in failed)), None)
    yield FailureCause(
        name="stack-stuck",
        title=f"The stack is stuck in {stack.status}: no deployment can start"
        if not facts.has_nothing_live
        else f"The stage {stage.name} is not wholly deleted: its stack is {stack.status}"
        if stack.status == _DELETE_FAILED
        else f"The first deployment of {stage.name} failed: "
        + (lowered(fault.title) if fault else f"its stack is {stack.status}"),
        likelihood="certain",
        error_type=stack.status,
        rule="A6" if is_image and stack.status == _ROLLBACK_FAILED else fault.rule if fault else "",
        evidence=stack_evidence(facts),
        fix=_unstick(facts, stack.status, failed, is_image=is_image, fault=fault),
        explanation="Nothing of the stage is live, so no player is affected."
        if facts.has_nothing_live
        else "The alias live is unchanged; players are affected only if another cause says so.",
    )


def live_is_not_what_was_released(facts: StageFacts) -> Iterator[FailureCause]:
    """H4: somebody used update-function-code, or moved the alias, beside the stack."""
    stage = facts.stage
    live = facts.live if isinstance(facts.live, FunctionFacts) else None
    if live is None or live.package != "Image" or _is_moving(facts):
        return
    wanted = facts.released or (facts.pin.digest if facts.pin and facts.released is None else "")
    if not wanted:
        return
    latest = facts.latest if isinstance(facts.latest, FunctionFacts) else None
    is_released_known = facts.released is not None
    name = facts.function_name
    if live.digest != wanted:
        source = (
            f"SSM parameter {stage.names.release_parameter}" if is_released_known else "lock file"
        )
        yield FailureCause(
            name="live-drifted",
            title="Live runs another image than was released"
            if is_released_known
            else "Live runs another image than the lock file pins",
            likelihood="likely" if is_released_known else "possible",
            rule="H4",
            evidence=(
                seen(f"GetFunction live, version {live.version}", f"runs {live.digest}"),
                seen(source, f"names {wanted}"),
            ),
            fix=(
                *(
                    ()
                    if is_released_known
                    else (
                        Remedy(
                            "if it is pinned and not deployed yet, deploy it",
                            release_command("deploy", stage),
                        ),
                    )
                ),
                Remedy(
                    "find the version of the image that was released",
                    aws_command(
                        "lambda",
                        "list-versions-by-function",
                        stage,
                        function_name=name,
                        query=f"Versions[?CodeSha256=='{wanted.removeprefix('sha256:')}'].Version",
                    ),
                ),
                Remedy(
                    "point live to it",
                    aws_command("lambda", "update-alias", stage, function_name=name, name="live")
                    + " --function-version N",
                ),
            ),
            explanation="Somebody published a version or moved the alias by hand, as with"
            " update-function-code: what runs has passed no gate.",
        )
    elif latest and latest.package == "Image" and latest.digest not in (live.digest, ""):
        repository = live.image.partition("@")[0]
        yield FailureCause(
            name="latest-drifted",
            title="The function's code was changed outside of the stack; live is not affected yet",
            likelihood="possible",
            rule="H4",
            evidence=(
                seen("GetFunction $LATEST", f"runs {latest.digest}"),
                seen(f"GetFunction live, version {live.version}", f"runs {live.digest}"),
            ),
            fix=(
                Remedy(
                    "restore the image that is live",
                    aws_command(
                        "lambda",
                        "update-function-code",
                        stage,
                        function_name=name,
                        image_uri=f"{repository}@{live.digest}",
                    ),
                ),
            ),
            explanation="CloudFormation does not see it, and publishes it with the next"
            " version that changes anything else.",
        )


def alarms_ring(facts: StageFacts) -> Iterator[FailureCause]:
    """Alarms that nothing else explains."""
    for alarm in facts.alarms or ():
        yield FailureCause(
            name="alarm",
            title=f"The alarm {alarm.name} is in ALARM",
            likelihood="possible",
            evidence=tuple(
                seen("CloudWatch", text) for text in (alarm.reason, alarm.description) if text
            )
            or (seen("CloudWatch", "ALARM"),),
            fix=(
                Remedy(
                    "docs/runbook.md has a section for it; a fix can be deployed meanwhile: a"
                    " deployment is stopped only by the alarms of its own version"
                ),
            ),
        )


_STACK_TYPE: Final = "AWS::CloudFormation::Stack"


def stack_evidence(facts: StageFacts) -> tuple[Evidence, ...]:
    """Return what the stack says of its last operation."""
    if not isinstance(facts.stack, StackFacts):
        return ()
    stack = facts.stack
    name = facts.stage.names.rooms_stack
    said = f"{name}: {stack.status}" + (f" ({stack.reason})" if stack.reason else "")
    failures = [f for f in stack.failures if f.type != _STACK_TYPE]
    return (
        seen("CloudFormation", said),
        *(
            seen("CloudFormation", f"{f.logical_id} ({f.type}): {f.status}: {f.reason}")
            for f in failures[:3]
        ),
    )


def _unstick(
    facts: StageFacts,
    status: str,
    failed: list[FailedResource],
    *,
    is_image: bool,
    fault: ImageFault | None,
) -> tuple[Remedy, ...]:
    stage = facts.stage
    name = stage.names.rooms_stack
    again = (
        first_deployment(facts)
        if facts.has_nothing_live
        else Remedy("deploy again", release_command("deploy", stage))
    )
    if status == _ROLLBACK_FAILED:
        stuck = [failure for failure in failed if failure.status == "UPDATE_FAILED"] or failed
        skip = " ".join(dict.fromkeys(failure.logical_id for failure in stuck))
        go_on = aws_command("cloudformation", "continue-update-rollback", stage, stack_name=name)
        return (
            # Going back needs the image before, too.
            push_again(stage) if is_image else Remedy("repair what the first failed event names"),
            Remedy("continue the roll-back", go_on),
            *(
                (
                    Remedy(
                        "or, if it cannot be fixed, skip the resources that block it",
                        f"{go_on} --resources-to-skip {skip}",
                    ),
                )
                if skip
                else ()
            ),
            again,
        )
    events = aws_command("cloudformation", "describe-stack-events", stage, stack_name=name)
    delete = aws_command("cloudformation", "delete-stack", stage, stack_name=name)
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"):
        return (
            *(
                fault.fix(stage)
                if fault
                else (Remedy("repair what the first failed event names", events),)
            ),
            Remedy("delete it: its first creation failed, so there is nothing to lose", delete),
            again,
        )
    if status == _DELETE_FAILED:
        left = " ".join(dict.fromkeys(failure.logical_id for failure in failed))
        return (
            Remedy("find what blocks it, and remove that", events),
            Remedy("delete the rest", delete),
            *(
                (Remedy("or leave what blocks it", f"{delete} --retain-resources {left}"),)
                if left
                else ()
            ),
            again,
        )
    return (Remedy("find what blocks it", events), again)


def _is_image_gone(failure: FailedResource) -> bool:
    return any(text in failure.reason for text in _IMAGE_GONE)


def _is_moving(facts: StageFacts) -> bool:
    return isinstance(facts.stack, StackFacts) and facts.stack.status.endswith("_IN_PROGRESS")
