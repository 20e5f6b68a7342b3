"""How much changes at each stage."""

from collections.abc import Iterator

from release.changes.comment.words import count, kinds, listed
from release.changes.model import Changes, StackChange


def stages(changes: Changes) -> Iterator[str]:
    """Yield a line of a list for each stage."""
    for stage in sorted({stack.stage for stack in changes.stacks}):
        stacks = [stack for stack in changes.stacks if stack.stage == stage]
        told = [f"{one.stack} {_counts(one)}" for one in stacks if one.status != "same"]
        same = [one.stack for one in stacks if one.status == "same"]
        if told and same:
            told.append(f"nothing in {listed(same)}")
        yield f"- **{stage}**: {'; '.join(told) or 'nothing changes'}"


def _counts(stack: StackChange) -> str:
    counts = kinds(resource.kind for resource in stack.resources)
    match stack.status:
        case "added":
            return f"is new ({counts})"
        case "removed":
            resources = count(len(stack.resources), "resource")
            return f"is no longer defined ({resources}; they stay until somebody deletes the stack)"
        case "changed":
            others = f"{count(len(stack.others), 'other value')} changed" if stack.others else ""
            return ", ".join(filter(None, (counts, others)))
        case _:
            return stack.status
