"""The forms of single uses of ``exports``, ``module`` and ``require``, each told by its syntax."""

from collections.abc import Iterator

from tree_sitter import Node

from imagecheck.start.node.parse import first_of, string_of, text_of, unwrapped


def may_evaluate(word: Node) -> bool:
    """Whether an ``eval`` may do something to the exports: bundlers keep ``eval("require")``."""
    call = word.parent
    if call is None or call.type != "call_expression":
        return call is not None and call.type == "arguments"
    given = string_of(first_of(call.child_by_field_name("arguments")))
    return given is None or "export" in given


def announced_exports(root: Node) -> Node | None:
    """Return all names, as esbuild says them for Node at the end: ``0 && (module.exports = {…})``.

    It does that where it makes CommonJS of an ES module, which exports in no other way.
    """
    statements = [child for child in root.named_children if child.type != "comment"]
    last = first_of(statements[-1]) if statements else None
    if last is None or last.type != "binary_expression" or text_of(last.child(0)) != "0":
        return None
    assignment = unwrapped(last.named_children[-1])
    value = assignment.child_by_field_name("right")
    is_whole = text_of(assignment.child_by_field_name("left")) == "module.exports"
    return value if is_whole and value and value.type == "object" else None


def is_at_top(value: Node) -> bool:
    """Whether the assignment of a value is a statement of the module itself, which always runs."""
    statement = value.parent.parent if value.parent else None
    return (
        statement is not None
        and statement.type == "expression_statement"
        and statement.parent is not None
        and statement.parent.type == "program"
    )


def is_detached(word: Node) -> bool:
    """Whether ``exports = …`` only gives the name to something else, and nothing is exported."""
    assignment = word.parent
    if assignment is None or assignment.type != "assignment_expression":
        return False
    value = assignment.child_by_field_name("right")
    holder = assignment.parent
    return (
        is_field(assignment, "left", word)
        and value is not None
        and "exports" not in text_of(value)
        and holder is not None
        and holder.type == "expression_statement"
    )


def member_name(member: Node) -> str | None:
    """Return the name that ``a.name`` or ``a["name"]`` asks for; None where it is not plain."""
    if member.type == "member_expression":
        return text_of(member.child_by_field_name("property"))
    return string_of(member.child_by_field_name("index"))


def is_field(node: Node, name: str, child: Node) -> bool:
    """Whether a node has this child in its field of that name."""
    found = node.child_by_field_name(name)
    return found is not None and found.id == child.id


def required_modules(node: Node) -> Iterator[str]:
    """Read ``require("./x")``, also inside ``__importStar(…)`` and the like."""
    for _ in range(3):
        node = unwrapped(node)
        if node.type != "call_expression":
            return
        arguments = node.child_by_field_name("arguments")
        first = first_of(arguments)
        if first is None:
            return
        if text_of(node.child_by_field_name("function")) == "require":
            if (name := string_of(first)) is not None:
                yield name
            return
        if not text_of(node.child_by_field_name("function")).startswith(("__", "_interop")):
            return
        node = first


def is_harmless(word: Node) -> bool:
    """Whether a use of a word neither changes what it names nor hands it on."""
    holder = word.parent
    if holder is None:
        return True
    if holder.type in {"unary_expression", "expression_statement"}:
        return True
    if holder.type == "binary_expression":
        operator = text_of(holder.child_by_field_name("operator"))
        if operator == "&&" and is_field(holder, "left", word):
            # As in this && this.__importStar: an object is true, so it is never the value.
            return True
        return operator in {"===", "!==", "==", "!=", "in", "instanceof"}
    return holder.type in {"formal_parameters", "pair", "export_specifier"} and not is_field(
        holder, "value", word
    )
