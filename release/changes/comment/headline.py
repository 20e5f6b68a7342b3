"""What a change does, in one sentence."""

from collections.abc import Iterator, Sequence
from typing import Final

from release.changes.comment.words import codes, count, listed
from release.changes.model import Changes, StackChange


def headline(changes: Changes) -> str:
    """Return the first line of the comment."""
    text = "; ".join(_parts(changes))
    return f"{text[0].upper()}{text[1:]}."


_DIFFERENT: Final = frozenset({"changed", "added", "removed"})


def _parts(changes: Changes) -> Iterator[str]:
    unknown = sum(stack.status == "cannot be compared" for stack in changes.stacks)
    different = [stack for stack in changes.stacks if stack.status in _DIFFERENT]
    if unknown:
        yield f"**{count(unknown, 'stack')} cannot be compared**"
    if different:
        yield _what_differs(different)
        yield from _what_is_lost(different)
    elif not unknown:
        yield "no deployed stack changes"
    if any(one.wider for stack in different for one in stack.permissions):
        yield "**more is permitted than before**"
    if changes.lock_unreadable:
        yield "**the images cannot be compared**"
    elif changes.images:
        yield f"the image changes at {codes([image.stage for image in changes.images])}"


def _what_differs(different: Sequence[StackChange]) -> str:
    resources = {
        (stack.stack, resource.logical_id) for stack in different for resource in stack.resources
    }
    stages = listed(list(dict.fromkeys(stack.stage for stack in different)))
    if not resources:
        return f"no resource changes, but other parts of templates do at {stages}"
    verb = "changes" if len(resources) == 1 else "change"
    return f"{count(len(resources), 'resource')} {verb} at {stages}"


def _what_is_lost(different: Sequence[StackChange]) -> Iterator[str]:
    found = [(stack.stack, danger) for stack in different for danger in stack.dangers]
    gone = {(stack, one.logical_id) for stack, one in found if one.kind != "unprotected"}
    lost = {
        (stack, one.logical_id)
        for stack, one in found
        if one.kind != "unprotected" and one.kept_by is None
    }
    unprotected = {(stack, one.logical_id) for stack, one in found if one.kind == "unprotected"}
    if lost:
        yield f"**{count(len(lost), 'stateful resource')} may be lost**"
    if kept := gone - lost:
        yield f"{count(len(kept), 'stateful resource')} kept, but outside of the stack"
    if not gone:
        yield "nothing stateful is replaced or removed"
    if unprotected:
        yield f"**{count(len(unprotected), 'stateful resource')} less protected**"
