"""The sections of the comment, each as the entries of a Markdown list."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from config.image_lock import ImagePin
from release.pipeline.changes.model import (
    KINDS,
    ChangeKind,
    Changes,
    DataLossRisk,
    ImageChange,
    KeptLess,
    PermissionChange,
    ResourceChange,
    StageStackChange,
    ValueChange,
)
from release.pipeline.comment.markdown import MAX_LISTED, code, code_pair, codes, count, listed
from release.pipeline.comment.same_at_stages import AtStages, same_at_stages


def warnings(changes: Changes) -> Iterator[str]:
    """Yield what cannot be compared, and then what may be lost, the worst first."""
    for stack in changes.stacks:
        if stack.why is not None:
            yield f"- **{stack.stack} at {stack.stage} cannot be compared**, {stack.why}"
    if changes.odd_names:
        snapshots = count(changes.odd_names, "snapshot")
        yield f"- **{snapshots} cannot be compared**: the file name is not that of a stack"
    if changes.lock_unreadable:
        yield f"- **the lock file of images cannot be read**, {changes.lock_unreadable}"
    found = ((stack, risk) for stack in changes.stacks for risk in stack.dangers)
    for one in sorted(same_at_stages(found), key=lambda one: _lost_first(one.item)):
        yield f"- **{one.where}**: {_risk(one.item, stack_removed=one.stack_removed)}"


def stages(changes: Changes) -> Iterator[str]:
    """Yield how much changes at each stage."""
    for stage in sorted({stack.stage for stack in changes.stacks}):
        stacks = [stack for stack in changes.stacks if stack.stage == stage]
        texts = [f"{one.stack} {_counts(one)}" for one in stacks if one.status != "same"]
        same = [one.stack for one in stacks if one.status == "same"]
        if texts and same:
            texts.append(f"nothing in {listed(same)}")
        yield f"- **{stage}**: {'; '.join(texts) or 'nothing changes'}"


def permissions(changes: Changes) -> Iterator[str]:
    """Yield permissions that change, first those that allow more than before."""
    found = ((stack, one) for stack in changes.stacks for one in stack.permissions)
    for one in sorted(same_at_stages(found), key=lambda one: not one.item.wider):
        mark = "**Wider**, " if one.item.wider else ""
        yield f"- {mark}{one.where}: {_permission(one.item)}"


def images(changes: Changes) -> Iterator[str]:
    """Yield the image that each stage gets, some lines each."""
    for change in changes.images:
        yield "\n".join(_image(change))


def resources(stacks: Sequence[StageStackChange]) -> tuple[str, list[str]]:
    """Return a summary of the resources that change, and the entries, the worst first.

    ``stacks`` are one stack's at all stages. There are no entries where nothing changes.
    """
    found = ((stack, one) for stack in stacks for one in stack.resources)
    grouped = same_at_stages(found)
    others = same_at_stages((stack, one) for stack in stacks for one in stack.others)
    entries = [
        "\n".join(_resource(one))
        for one in sorted(grouped, key=lambda one: KINDS.index(one.item.kind))
    ]
    entries += [f"- at {listed(one.stages)}: {_value(one.item, '')}" for one in others]
    summary = (
        _kinds(one.item.kind for one in grouped),
        count(len(others), "other value") if others else "",
    )
    return ", ".join(filter(None, summary)), entries


def _lost_first(risk: DataLossRisk) -> tuple[bool, bool]:
    return risk.kept_by is not None, risk.kind == "unprotected"


def _kept_less(found: Iterable[KeptLess]) -> Iterator[str]:
    for one in found:
        value = ValueChange(path=one.path, old=one.old, new=one.new)
        yield f"{_value(value, '')}: {one.means}."


def _risk(risk: DataLossRisk, *, stack_removed: bool) -> str:
    what = f"{code(risk.logical_id)} ({code(risk.type)})"
    if risk.kind == "loses data":
        effects = " ".join(_kept_less(risk.kept_less))
        return f"{what} stays, and **loses what it stores, or a part of it**. {effects}"
    if risk.kind == "unprotected":
        parts = []
        if risk.lost_protections:
            gone = listed(risk.lost_protections)
            parts.append(f"loses its {gone}. **Lost if it is removed later: {risk.lost}.**")
        if risk.kept_less:
            effects = " ".join(_kept_less(risk.kept_less))
            parts.append(f"{'It keeps' if parts else 'keeps'} its data differently. {effects}")
        return f"{what} {' '.join(parts)}"
    if stack_removed:
        becomes, lost = "is deleted if somebody deletes the stack", "Lost then"
    elif risk.kind == "may be replaced":
        becomes, lost = "**may be replaced**", "Lost if it is"
    elif risk.kind == "left behind":
        becomes, lost = "is taken out of the stack", "Lost"
    else:
        becomes, lost = f"**is {risk.kind}**", "Lost"
    if risk.kept_by:
        text = f"{what} {becomes}. Kept, outside of the stack ({risk.kept_by}): {risk.lost}."
    else:
        text = f"{what} {becomes}. **{lost}: {risk.lost}.**"
    if risk.empty_one:
        old = code(risk.name) if risk.name and risk.name != risk.empty_one else "the old one"
        text += (
            f" {code(risk.empty_one)} begins empty in its place, unless it is there already and is"
            f" imported: what is in {old} stays there, and nothing reads it."
        )
    if risk.fixed_name:
        text += " Its name is fixed, so CloudFormation refuses to replace it: the deployment fails."
    return text


def _counts(stack: StageStackChange) -> str:
    counts = _kinds(resource.kind for resource in stack.resources)
    match stack.status:
        case "added":
            return f"is new ({counts})"
        case "removed":
            number = count(len(stack.resources), "resource")
            return f"is no longer defined ({number}; they stay until somebody deletes the stack)"
        case "changed":
            others = f"{count(len(stack.others), 'other value')} changed" if stack.others else ""
            return ", ".join(filter(None, (counts, others)))
        case _:
            return stack.status


def _kinds(found: Iterable[ChangeKind]) -> str:
    """Return how many there are of each kind, the worst first; "" for none."""
    counted = Counter(found)
    return ", ".join(f"{counted[kind]} {kind}" for kind in KINDS if counted[kind])


def _permission(one: PermissionChange) -> str:
    change = "added" if one.added else "removed"
    match one.sort:
        case "statement":
            effect = "a statement that cannot be read," if one.effect == "Unknown" else one.effect
            condition = f", if {code(one.condition)}" if one.condition else ""
            return (
                f"{change}: {effect} {codes(one.what)} on {codes(one.on)}"
                f" to {codes(one.who)}{condition}"
            )
        case "managed policy":
            return f"{change}: managed policy {codes(one.what)} of {codes(one.who)}"
        case "guard":
            return f"{codes(one.what)} of {codes(one.on)} is changed"
        case "IAM Identity Center":
            return "permission sets or assignments of IAM Identity Center"
        case "inbound rule" | "outbound rule":
            preposition = "from" if one.sort == "inbound rule" else "to"
            return (
                f"{change}: {one.sort} of {codes(one.on)}, {codes(one.what)}"
                f" {preposition} {codes(one.who)}"
            )


def _image(change: ImageChange) -> Iterator[str]:
    stage, old, new = code(change.stage), change.old, change.new
    if new is None:
        was = f", was {_short(old)}" if old else ""
        yield f"- {stage}: unpinned{was}; from now on only its registry is defined"
    elif old is None:
        yield f"- {stage}: first pin, {_short(new)}; from now on all its stacks are defined"
        yield f"  - digest {code(new.digest)}"
        yield f"  - base image {code(new.base_digest)}"
        yield f"  - built from {code(new.source_revision)}"
    else:
        if old.digest == new.digest:
            yield f"- {stage}: the same image, {_short(new)}, pinned again"
        else:
            yield f"- {stage}: {_short(old)} → {_short(new)}"
            yield f"  - digest {code(old.digest)} → {code(new.digest)}"
        yield from _origin(old, new)
    if change.promoted_from:
        yield f"  - promoted: {code(change.promoted_from)} had this image before"


def _origin(old: ImagePin, new: ImagePin) -> Iterator[str]:
    for name, before, after in (
        ("base image", old.base_digest, new.base_digest),
        ("built from", old.source_revision, new.source_revision),
        ("architecture", old.architecture, new.architecture),
    ):
        if before != after:
            yield f"  - {name} {code(before)} → {code(after)}"
    if new.pinned_at < old.pinned_at:
        yield "  - this is a roll-back: the new pin is older than the one that it replaces"


def _short(pin: ImagePin) -> str:
    return code(pin.digest.removeprefix("sha256:")[:12])


def _resource(one: AtStages[ResourceChange]) -> Iterator[str]:
    item = one.item
    new_type = f" → {code(item.new_type)}" if item.new_type else ""
    what = f"{code(item.logical_id)} ({code(item.type)}{new_type})"
    yield f"- **{item.kind}** at {listed(one.stages)}: {what}"
    replaces = "which may replace it" if item.kind == "may be replaced" else "which replaces it"
    for value in item.values[:MAX_LISTED]:
        yield f"  - {_value(value, replaces)}"
    if len(item.values) > MAX_LISTED:
        yield f"  - {count(len(item.values) - MAX_LISTED, 'more value')}"


def _value(value: ValueChange, replaces: str) -> str:
    end = f", {replaces}" if value.replaces else ""
    path = code(value.path)
    match value.old, value.new:
        case None, str(new):
            return f"{path}: added {code(new)}{end}"
        case str(old), None:
            return f"{path}: removed {code(old)}{end}"
        case str(old), str(new) if old != new:
            before, after = code_pair(old, new)
            return f"{path}: {before} → {after}{end}"
        case _:
            return f"{path} refers to a resource that is replaced{end}"
