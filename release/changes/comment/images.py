"""Which image each stage gets."""

from collections.abc import Iterator

from release.changes.comment.code_span import code
from release.changes.model import ImageChange
from stacks.image_lock import ImagePin


def image(change: ImageChange) -> Iterator[str]:
    """Yield lines of a list for one stage's pin."""
    stage, old, new = code(change.stage), change.old, change.new
    if new is None:
        was = f", was {_short(old)}" if old else ""
        yield f"- {stage}: unpinned{was}; from now on only its registry is defined"
    elif old is None:
        yield f"- {stage}: first pin, {_short(new)}; from now on all its stacks are defined"
        yield f"  - in full {code(new.digest)}"
        yield f"  - base image {code(new.base_digest)}"
        yield f"  - built from {code(new.source_revision)}"
    else:
        if old.digest == new.digest:
            yield f"- {stage}: the same image, {_short(new)}, pinned anew"
        else:
            yield f"- {stage}: {_short(old)} → {_short(new)}"
            yield f"  - in full {code(old.digest)} → {code(new.digest)}"
        yield from _origin(old, new)
    if change.promoted_from:
        yield f"  - the image that {code(change.promoted_from)} has had before"


def _origin(old: ImagePin, new: ImagePin) -> Iterator[str]:
    for name, before, after in (
        ("base image", old.base_digest, new.base_digest),
        ("built from", old.source_revision, new.source_revision),
        ("architecture", old.architecture, new.architecture),
    ):
        if before != after:
            yield f"  - {name} {code(before)} → {code(after)}"
    if new.pinned_at < old.pinned_at:
        yield "  - it was pinned before the one that it follows: this goes back"


def _short(pin: ImagePin) -> str:
    return code(pin.digest.removeprefix("sha256:")[:12])
