"""The comparison of two states of the project: every stack of every stage, and the images."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from msgspec import structs

from config.image_lock import ImagePin
from config.project import Project
from release.pipeline.changes.committed import Committed, StackId, UnreadableFile, read_committed
from release.pipeline.changes.model import (
    KINDS,
    ChangeKind,
    Changes,
    ImageChange,
    ResourceChange,
    StageStackChange,
    ValueChange,
)
from release.pipeline.changes.permissions import permissions
from release.pipeline.changes.sources import open_source
from release.pipeline.changes.stateful import LOST, data_loss_risks, with_successor
from release.pipeline.changes.template_diff import (
    Impact,
    ResourceDiff,
    Template,
    TemplateDiff,
    compare_templates,
)
from release.pipeline.changes.values import as_json, is_same, value_changes


def find_changes(project: Project, base: str, head: str) -> Changes:
    """Compare two states of a project, each a folder or a revision.

    Nothing of them is run. Raises FailedError where one cannot be read at all, or where CDK's
    comparison cannot be run.
    """
    lock = project.lock.relative_to(project.root).as_posix()
    old, new = (
        read_committed(open_source(where, project.root), where, lock) for where in (base, head)
    )
    stacks = tuple(_with_successors(tuple(_stacks(old, new)), new))
    if isinstance(old.pins, UnreadableFile) or isinstance(new.pins, UnreadableFile):
        return Changes(
            stacks=stacks,
            images=(),
            lock_unreadable=_why(old.pins, new.pins),
            odd_names=new.odd_names,
        )
    images = tuple(image_changes(old.pins, new.pins))
    return Changes(stacks=stacks, images=images, odd_names=new.odd_names)


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


_EMPTY: Final[Template] = {"Resources": {}}
_KINDS: Final[Mapping[Impact, ChangeKind]] = {
    "WILL_CREATE": "added",
    "WILL_DESTROY": "removed",
    "WILL_ORPHAN": "left behind",
    "WILL_REPLACE": "replaced",
    "MAY_REPLACE": "may be replaced",
}
_REPLACING: Final = frozenset({"WILL_REPLACE", "MAY_REPLACE"})


def _stacks(old: Committed, new: Committed) -> Iterator[StageStackChange]:
    ids = sorted(old.templates.keys() | new.templates.keys())
    sides = {one: (old.templates.get(one, _EMPTY), new.templates.get(one, _EMPTY)) for one in ids}
    different = {
        one: (before, after)
        for one, (before, after) in sides.items()
        if not isinstance(before, UnreadableFile)
        and not isinstance(after, UnreadableFile)
        and not is_same(before, after)
    }
    diffs = dict(zip(different, compare_templates(list(different.values())), strict=True))
    for one, (before, after) in sides.items():
        if isinstance(before, UnreadableFile) or isinstance(after, UnreadableFile):
            yield _unknown(one, _why(before, after))
        elif one not in diffs:
            yield StageStackChange(stack=one.stack, stage=one.stage, status="same")
        elif (diff := diffs[one]) is None:
            yield _unknown(one, "CDK cannot compare it")
        else:
            status: Literal["changed", "added", "removed"] = "changed"
            if one not in old.templates:
                status = "added"
            elif one not in new.templates:
                status = "removed"
            yield _compared(one, status, before, after, diff)


def _with_successors(
    stacks: Sequence[StageStackChange], new: Committed
) -> Iterator[StageStackChange]:
    """Tell of a stack that goes, as by a stage's new name, which other stage's comes for it."""
    for one in stacks:
        added = [
            StackId(other.stack, other.stage)
            for other in stacks
            if (other.stack, other.status) == (one.stack, "added")
        ]
        if one.status == "removed" and len(added) == 1:
            template = new.templates[added[0]]
            assert not isinstance(template, UnreadableFile)  # noqa: S101  # it was compared
            risks = tuple(with_successor(risk, template["Resources"]) for risk in one.dangers)
            yield structs.replace(one, dangers=risks)
        else:
            yield one


def _compared(
    one: StackId,
    status: Literal["changed", "added", "removed"],
    before: Template,
    after: Template,
    diff: TemplateDiff,
) -> StageStackChange:
    old, new = before["Resources"], after["Resources"]
    resources = sorted(_resources(old, new, diff), key=_worst_first)
    return StageStackChange(
        stack=one.stack,
        stage=one.stage,
        status=status,
        dangers=tuple(data_loss_risks(resources, old, new)),
        permissions=tuple(permissions(diff, resources)),
        resources=tuple(resources),
        others=tuple(_others(before, after)) if status == "changed" else (),
    )


def _others(before: Template, after: Template) -> Iterator[ValueChange]:
    for name in sorted((before.keys() | after.keys()) - {"Resources"}):
        yield from value_changes(name, before, after)


def _resources(
    old: Mapping[str, Any], new: Mapping[str, Any], diff: TemplateDiff
) -> Iterator[ResourceChange]:
    for logical_id in old.keys() | new.keys():
        before, after = old.get(logical_id), new.get(logical_id)
        found = diff.resources.get(logical_id)
        # CDK takes some different values for the same, such as "" and 0: they are changes, too.
        if found is None and is_same(before, after):
            continue
        types = [side["Type"] for side in (before, after) if side]
        yield ResourceChange(
            logical_id=logical_id,
            type=types[0],
            new_type=types[1] if len(set(types)) > 1 else None,
            kind=_kind(types[0], found),
            values=tuple(_values(before, after, found)) if before and after else (),
        )


def _kind(resource_type: str, found: ResourceDiff | None) -> ChangeKind:
    if found is None:
        return "changed"
    kind = _KINDS.get(found.impact, "changed")
    # What CDK's data does not know of may replace it.
    unknown = "NO_CHANGE" in found.properties.values()
    return "may be replaced" if kind == "changed" and unknown and resource_type in LOST else kind


def _values(
    before: dict[str, Any], after: dict[str, Any], found: ResourceDiff | None
) -> Iterator[ValueChange]:
    impacts = found.properties if found else {}
    old, new = (side.get("Properties", {}) for side in (before, after))
    for name in sorted(old.keys() | new.keys()):
        replaces = impacts.get(name) in _REPLACING
        values = list(value_changes(name, old, new))
        if replaces and not values:
            # It refers to a resource that is replaced.
            text = as_json(new[name])
            values = [ValueChange(path=name, old=text, new=text)]
        yield from (structs.replace(value, replaces=replaces) for value in values)
    for name in sorted((before.keys() | after.keys()) - {"Properties", "Type"}):
        yield from value_changes(name, before, after)


def _unknown(one: StackId, why: str) -> StageStackChange:
    return StageStackChange(stack=one.stack, stage=one.stage, status="cannot be compared", why=why)


def _why(before: object, after: object) -> str:
    sides = (("before", before), ("after", after))
    return ", ".join(
        f"{when} the change: {side.why}" for when, side in sides if isinstance(side, UnreadableFile)
    )


def _worst_first(change: ResourceChange) -> tuple[int, str]:
    return KINDS.index(change.kind), change.logical_id


def _promoted_from(
    before: ImagePin | None, after: ImagePin | None, pins: Mapping[str, ImagePin]
) -> str | None:
    if after is None or (before and before.digest == after.digest):
        return None
    return next((other for other, pin in pins.items() if pin.digest == after.digest), None)
