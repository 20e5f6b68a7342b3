"""What becomes of the image that each stage runs."""

from collections.abc import Iterator, Mapping

from release.changes.model import ImageChange
from stacks.image_lock import ImagePin


def image_changes(
    old: Mapping[str, ImagePin], new: Mapping[str, ImagePin]
) -> Iterator[ImageChange]:
    """Yield the pins that differ, by stage."""
    for stage in sorted(old.keys() | new.keys()):
        before, after = old.get(stage), new.get(stage)
        if before != after:
            yield ImageChange(
                stage=stage,
                old=before,
                new=after,
                promoted_from=_promoted_from(before, after, old),
            )


def _promoted_from(
    before: ImagePin | None, after: ImagePin | None, pins: Mapping[str, ImagePin]
) -> str | None:
    if after is None or (before and before.digest == after.digest):
        return None
    return next((other for other, pin in pins.items() if pin.digest == after.digest), None)
