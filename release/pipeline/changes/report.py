"""The data that ``changes --json`` prints."""

import msgspec

from release.pipeline.changes.model import Changes, ImageChange, StageStackChange
from release.pipeline.comment.comment import headline


class ChangesResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What ``changes --json`` prints. The texts of a change may be a stranger's.

    ``lock_unreadable`` says why the lock file cannot be read, and ``odd_names`` how many snapshots
    have a name that says no stack.
    """

    headline: str
    """The change in one sentence of Markdown."""
    stacks: tuple[StageStackChange, ...]
    images: tuple[ImageChange, ...]
    lock_unreadable: str | None
    odd_names: int


def result_of(changes: Changes) -> ChangesResult:
    """Return what a change does, with its headline."""
    return ChangesResult(
        headline=headline(changes),
        stacks=changes.stacks,
        images=changes.images,
        lock_unreadable=changes.lock_unreadable,
        odd_names=changes.odd_names,
    )
