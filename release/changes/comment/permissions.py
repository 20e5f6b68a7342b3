"""Who may do more, or less."""

from collections.abc import Iterator

from release.changes.comment.code_span import code
from release.changes.comment.same_at_stages import same_at_stages
from release.changes.comment.words import codes
from release.changes.model import Changes, Permission


def permissions(changes: Changes) -> Iterator[str]:
    """Yield lines of a list: first what allows more than before."""
    found = ((stack, one) for stack in changes.stacks for one in stack.permissions)
    for one in sorted(same_at_stages(found), key=lambda one: not one.item.wider):
        mark = "**Wider**, " if one.item.wider else ""
        yield f"- {mark}{one.where}: {_permission(one.item)}"


def _permission(one: Permission) -> str:
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
            whence = "from" if one.sort == "inbound rule" else "to"
            return (
                f"{change}: {one.sort} of {codes(one.on)}, {codes(one.what)}"
                f" {whence} {codes(one.who)}"
            )
