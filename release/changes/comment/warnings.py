"""What must not be missed: what is lost, and what cannot be compared."""

from collections.abc import Iterator

from release.changes.comment.code_span import code
from release.changes.comment.same_at_stages import same_at_stages
from release.changes.comment.words import count, listed
from release.changes.model import Changes, Danger


def warnings(changes: Changes) -> Iterator[str]:
    """Yield lines of a list, the worst first."""
    for stack in changes.stacks:
        if stack.why is not None:
            yield f"- **{stack.stack} at {stack.stage} cannot be compared**, {stack.why}"
    if changes.odd_names:
        snapshots = count(changes.odd_names, "snapshot")
        yield f"- **{snapshots} cannot be compared**: a name says no stack"
    if changes.lock_unreadable:
        yield f"- **the lock file of images cannot be read**, {changes.lock_unreadable}"
    found = ((stack, danger) for stack in changes.stacks for danger in stack.dangers)
    for one in sorted(same_at_stages(found), key=lambda one: _lost_first(one.item)):
        yield f"- **{one.where}**: {_danger(one.item, stack_removed=one.stack_removed)}"


def _lost_first(danger: Danger) -> tuple[bool, bool]:
    return danger.kept_by is not None, danger.kind == "unprotected"


def _danger(danger: Danger, *, stack_removed: bool) -> str:
    what = f"{code(danger.logical_id)} ({code(danger.type)})"
    if danger.kind == "unprotected":
        gone = listed(danger.lost_protections)
        return f"{what} loses its {gone}. **Lost if it is removed later: {danger.lost}.**"
    if stack_removed:
        becomes, lost = "goes if somebody deletes the stack", "Lost then"
    elif danger.kind == "may be replaced":
        becomes, lost = "**may be replaced**", "Lost if it is"
    elif danger.kind == "left behind":
        becomes, lost = "is taken out of the stack", "Lost"
    else:
        becomes, lost = f"**is {danger.kind}**", "Lost"
    if danger.kept_by:
        told = f"{what} {becomes}. Kept, outside of the stack ({danger.kept_by}): {danger.lost}."
    else:
        told = f"{what} {becomes}. **{lost}: {danger.lost}.**"
    if danger.fixed_name:
        told += " Its name is fixed, so CloudFormation will refuse, and stop the deployment."
    return told
