"""Changes that are the same at several stages, put together so that each is shown once."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec

from config.names import StageNames
from release.pipeline.changes.model import StageStackChange
from release.pipeline.comment.markdown import listed

Item = TypeVar("Item", bound=msgspec.Struct)


@dataclass(frozen=True)
class AtStages(Generic[Item]):
    """Something that happens to a stack of some stages.

    Where there are several, a name that has the stage in it has ``<stage>`` instead.
    """

    stack: str
    stages: tuple[str, ...]
    stack_removed: bool
    item: Item

    @property
    def where(self) -> str:
        """Which stack, and at which stages."""
        return f"{self.stack} at {listed(self.stages)}"


def same_at_stages(found: Iterable[tuple[StageStackChange, Item]]) -> list[AtStages[Item]]:
    """Put together what differs by its stage's name alone, in the order of each one's first."""
    groups: dict[tuple[str, bool, str, str], list[tuple[str, Item]]] = {}
    for where, item in found:
        text = msgspec.json.encode(item).decode()
        # A text that has the placeholder already would make different things look the same.
        alone = where.stage if _ANY_STAGE in text else ""
        general = text if alone else _without_stage(text, where.stage)
        key = (where.stack, where.status == "removed", general, alone)
        groups.setdefault(key, []).append((where.stage, item))
    return [
        _put_together(stack, members, stack_removed=removed, general=general)
        for (stack, removed, general, _), members in groups.items()
    ]


_ANY_STAGE: Final = "<stage>"


def _without_stage(text: str, stage: str) -> str:
    names = StageNames(stage)
    folder = names.release_parameter.rpartition("/")[0]
    for name in (names.prefix, folder):
        general = name.removesuffix(stage) + _ANY_STAGE
        text = re.sub(rf"{re.escape(name)}(?![A-Za-z0-9])", general, text)
    return text


def _put_together(
    stack: str, members: Sequence[tuple[str, Item]], *, stack_removed: bool, general: str
) -> AtStages[Item]:
    stages = tuple(dict.fromkeys(stage for stage, _ in members))
    item = members[0][1]
    if len(stages) > 1:
        item = msgspec.json.decode(general, type=type(item))
    return AtStages(stack=stack, stages=stages, stack_removed=stack_removed, item=item)
