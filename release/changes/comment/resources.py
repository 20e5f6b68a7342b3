"""What becomes of each resource of a stack, value by value."""

from collections.abc import Iterator, Sequence

from release.changes.comment.code_span import code, code_pair
from release.changes.comment.same_at_stages import AtStages, same_at_stages
from release.changes.comment.words import MAX_LISTED, count, kinds, listed
from release.changes.model import KINDS, ResourceChange, StackChange, ValueChange


def resources(stacks: Sequence[StackChange]) -> tuple[str, list[str]]:
    """Return a summary and the entries of a list, some lines each, the worst first.

    ``stacks`` are one stack's at all stages. The list is empty where nothing changes.
    """
    found = ((stack, one) for stack in stacks for one in stack.resources)
    grouped = same_at_stages(found)
    others = same_at_stages((stack, one) for stack in stacks for one in stack.others)
    entries = [
        "\n".join(_resource(one))
        for one in sorted(grouped, key=lambda one: KINDS.index(one.item.kind))
    ]
    entries += [f"- at {listed(one.stages)}: {_value(one.item, '')}" for one in others]
    told = (
        kinds(one.item.kind for one in grouped),
        count(len(others), "other value") if others else "",
    )
    return ", ".join(filter(None, told)), entries


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
            return f"{path} refers to what is replaced{end}"
