"""The comment on a pull request: a headline, the worst first, and no longer than GitHub takes."""

from collections.abc import Iterator, Sequence
from typing import Final

from release.pipeline.changes.model import Changes, StageStackChange
from release.pipeline.comment.markdown import codes, count, listed
from release.pipeline.comment.sections import images, permissions, resources, stages, warnings

MAX_CHARACTERS: Final = 65_000
"""A little less than the 65 536 that GitHub takes, so that something can be put around it."""


def as_markdown(changes: Changes) -> str:
    """Return the comment in GitHub's Markdown.

    The headline comes first, then warnings, stages, permissions, images, and, folded, the
    resources. Entries that do not fit are left out from the end, and counted.
    """
    top = "\n".join(_top(changes))
    return "\n".join([top, *_details(changes, MAX_CHARACTERS - len(top))]).rstrip("\n")


def headline(changes: Changes) -> str:
    """Return the change in one sentence, the first line of the comment."""
    text = "; ".join(_parts(changes))
    return f"{text[0].upper()}{text[1:]}."


# Together a good deal less than MAX_CHARACTERS.
_MAX_WARNINGS: Final = 20_000
_MAX_PERMISSIONS: Final = 15_000
_MAX_IMAGES: Final = 6_000
# What stands around the entries of a stack, with the line that counts those left out.
_FRAME: Final = 400
_STAYING: Final = frozenset({"unprotected", "loses data"})
_DIFFERENT: Final = frozenset({"changed", "added", "removed"})


def _top(changes: Changes) -> Iterator[str]:
    yield f"{headline(changes)}\n"
    if entries := list(warnings(changes)):
        yield "> [!CAUTION]"
        yield from (f"> {entry}" for entry in _fitting(entries, _MAX_WARNINGS))
        yield ""
    yield from stages(changes)
    yield ""
    for title, entries, budget in (
        ("Permissions", list(permissions(changes)), _MAX_PERMISSIONS),
        ("Images", list(images(changes)), _MAX_IMAGES),
    ):
        if entries:
            yield f"### {title}\n"
            yield from _fitting(entries, budget)
            yield ""


def _details(changes: Changes, budget: int) -> Iterator[str]:
    names = sorted({stack.stack for stack in changes.stacks})
    for place, name in enumerate(names):
        summary, entries = resources([one for one in changes.stacks if one.stack == name])
        if not entries:
            continue
        # The stacks after it get their part of what is left.
        part = budget // (len(names) - place)
        head = f"<details><summary>{name}: {summary}</summary>\n\n"
        shown = "\n".join(_fitting(entries, part - _FRAME))
        block = f"{head}{shown}\n\n</details>\n"
        budget -= len(block) + 1
        yield block


def _fitting(entries: Sequence[str], budget: int) -> Iterator[str]:
    """Yield as many entries of a list as fit, and the number of those left out."""
    for place, entry in enumerate(entries):
        budget -= len(f"> {entry}\n")
        if budget < 0:
            yield f"- {len(entries) - place} more, left out because the comment is too long"
            return
        yield entry


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


def _what_differs(different: Sequence[StageStackChange]) -> str:
    changed = {
        (stack.stack, resource.logical_id) for stack in different for resource in stack.resources
    }
    where = listed(list(dict.fromkeys(stack.stage for stack in different)))
    if not changed:
        return f"no resource changes, but other parts of templates do at {where}"
    verb = "changes" if len(changed) == 1 else "change"
    return f"{count(len(changed), 'resource')} {verb} at {where}"


def _what_is_lost(different: Sequence[StageStackChange]) -> Iterator[str]:
    found = [(stack.stack, risk) for stack in different for risk in stack.dangers]
    gone = {(stack, one.logical_id) for stack, one in found if one.kind not in _STAYING}
    lost = {
        (stack, one.logical_id)
        for stack, one in found
        if one.kind not in _STAYING and one.kept_by is None
    }
    emptied = {(stack, one.logical_id) for stack, one in found if one.kind == "loses data"} - gone
    unprotected = {(stack, one.logical_id) for stack, one in found if one.kind == "unprotected"}
    if lost:
        yield f"**{count(len(lost), 'stateful resource')} may be lost**"
    if kept := gone - lost:
        yield f"{count(len(kept), 'stateful resource')} kept, but outside of the stack"
    if emptied:
        number = count(len(emptied), "stateful resource")
        verb = "loses" if len(emptied) == 1 else "lose"
        yield f"**{number} {verb} stored data**"
    if not gone and not emptied:
        yield "nothing stateful is replaced or removed"
    if unprotected:
        yield f"**{count(len(unprotected), 'stateful resource')} less protected**"
