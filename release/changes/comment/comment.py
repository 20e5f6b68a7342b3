"""The comment as a whole: the worst first, and no longer than GitHub takes."""

from collections.abc import Iterator, Sequence
from typing import Final

from release.changes.comment.headline import headline
from release.changes.comment.images import image
from release.changes.comment.permissions import permissions
from release.changes.comment.resources import resources
from release.changes.comment.stages import stages
from release.changes.comment.warnings import warnings
from release.changes.model import Changes

MAX_CHARACTERS: Final = 65_000
"""A little less than the 65 536 that GitHub takes, so that something can be put around it."""


def as_markdown(changes: Changes) -> str:
    """Return the comment in GitHub's Markdown.

    First one sentence, then what must not be missed, the stages, permissions, images, and, folded,
    the resources. What is too long is left out from the end, and it is said how much that is.
    """
    top = "\n".join(_top(changes))
    return "\n".join([top, *_details(changes, MAX_CHARACTERS - len(top))]).rstrip("\n")


# Together a good deal less than MAX_CHARACTERS.
_MAX_WARNINGS: Final = 20_000
_MAX_PERMISSIONS: Final = 15_000
_MAX_IMAGES: Final = 6_000


def _top(changes: Changes) -> Iterator[str]:
    yield f"{headline(changes)}\n"
    if lines := list(warnings(changes)):
        yield "> [!CAUTION]"
        yield from (f"> {line}" for line in _fitting(lines, _MAX_WARNINGS))
        yield ""
    yield from stages(changes)
    yield ""
    if lines := list(permissions(changes)):
        yield "### Permissions\n"
        yield from _fitting(lines, _MAX_PERMISSIONS)
        yield ""
    if changes.images:
        yield "### Images\n"
        yield from _fitting(["\n".join(image(one)) for one in changes.images], _MAX_IMAGES)
        yield ""


def _fitting(entries: Sequence[str], budget: int) -> Iterator[str]:
    """Yield as many entries of a list as fit, and of the rest how many they are."""
    for place, entry in enumerate(entries):
        budget -= len(f"> {entry}\n")
        if budget < 0:
            yield f"- {len(entries) - place} more, left out because this is too long"
            return
        yield entry


def _details(changes: Changes, budget: int) -> Iterator[str]:
    names = sorted({stack.stack for stack in changes.stacks})
    for place, name in enumerate(names):
        summary, entries = resources([one for one in changes.stacks if one.stack == name])
        if not entries:
            continue
        # Those that come after it have their part of what is left.
        part = budget // (len(names) - place)
        head = f"<details><summary>{name}: {summary}</summary>\n\n"
        shown = "\n".join(_fitting(entries, part - _FRAME))
        block = f"{head}{shown}\n\n</details>\n"
        budget -= len(block) + 1
        yield block


# What stands around the entries of a stack, with the line that says how many are left out.
_FRAME: Final = 400
