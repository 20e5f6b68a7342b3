"""Reads JavaScript with tree-sitter, and says what of a module runs for certain while it loads.

The grammar is that of https://github.com/tree-sitter/tree-sitter-javascript.
"""

import re
from collections.abc import Callable, Iterator, Set
from typing import Final

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser, Query, QueryCursor, Tree

from imagecheck.budget import Budget

LANGUAGE: Final = Language(tree_sitter_javascript.language())
_BYTES_OF_A_STEP = 3
_LAZY = frozenset(
    {
        "arrow_function",
        "function_declaration",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "method_definition",
    }
)
"""Functions: what is in them runs when they are called."""
FUNCTIONS: Final = _LAZY - {"method_definition"}
_NEVER_CERTAIN = frozenset(
    {
        "while_statement",
        "do_statement",
        "labeled_statement",
        "with_statement",
        "assignment_pattern",
        "object_assignment_pattern",
        "ERROR",
    }
)
_ONLY = {
    "if_statement": "condition",
    "ternary_expression": "condition",
    "switch_statement": "value",
    "for_statement": "initializer",
    "for_in_statement": "right",
}
"""Of these, the one child that runs for certain."""
_BRANCHES = frozenset({"if_statement", "ternary_expression"})
_SHORT_CIRCUIT = frozenset({"&&", "||", "??", "&&=", "||=", "??="})
_LEAVES = frozenset({"return_statement", "throw_statement"})
_ESCAPE = re.compile(
    r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL
)
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def parse(text: bytes, budget: Budget) -> Tree:
    """Parse a script or a module. Raises ImageReadError when that takes too many steps."""
    budget.spend(len(text) // _BYTES_OF_A_STEP + 1)
    return Parser(LANGUAGE).parse(text)


def captures(query: Query, node: Node) -> dict[str, list[Node]]:
    """Return what a query finds below a node, by the names of its captures."""
    return QueryCursor(query).captures(node)


Decide = Callable[[Node], bool | None]
"""Says what a condition comes to; None where that is not known."""


def running(root: Node, budget: Budget, decide: Decide | None = None) -> Iterator[Node]:
    """Go through what runs for certain while a program loads, in its order.

    Left out is what is in a function that is not called on the spot, behind a condition that is not
    decided, in a ``try``, or after a statement that may leave.
    """
    waiting = [root]
    while waiting:
        budget.spend()
        node = waiting.pop()
        if node.type == "comment":
            continue
        yield node
        waiting.extend(reversed(_that_run(node)))
        if decide and node.type in _BRANCHES and (branch := _branch(node, decide)):
            waiting.append(branch)


def _branch(node: Node, decide: Decide) -> Node | None:
    """Return the branch that is taken, where that is known."""
    condition = node.child_by_field_name("condition")
    known = decide(condition) if condition else None
    if known is None:
        return None
    return node.child_by_field_name("consequence" if known else "alternative")


def _that_run(node: Node) -> list[Node]:
    kind = node.type
    found: list[Node] | None = None
    if kind in _NEVER_CERTAIN or kind in _LAZY:
        found = []
    elif kind in {"program", "statement_block"}:
        found = _until_it_may_leave(node)
    elif kind in _ONLY:
        only = node.child_by_field_name(_ONLY[kind])
        found = [only] if only else []
    elif kind in {"binary_expression", "augmented_assignment_expression"}:
        operator = node.child_by_field_name("operator")
        left = node.child_by_field_name("left")
        found = [left] if operator and left and operator.type in _SHORT_CIRCUIT else None
    elif kind == "try_statement":
        found = _of_try(node)
    elif kind == "class_body":
        found = [member for member in node.named_children if _is_static(member)]
    elif kind in {"call_expression", "member_expression", "subscript_expression"}:
        found = _of_access(node)
    return node.named_children if found is None else found


def _of_try(node: Node) -> list[Node]:
    """Return what runs of a ``try`` and whose failure nothing catches."""
    body = node.child_by_field_name("body")
    finalizer = node.child_by_field_name("finalizer")
    if node.child_by_field_name("handler") or body is None:
        return []
    return [] if finalizer and may_leave(finalizer) else [body]


def _until_it_may_leave(block: Node) -> list[Node]:
    statements = block.named_children
    for number, statement in enumerate(statements):
        if may_leave(statement):
            return statements[: number + 1]
    return statements


def may_leave(statement: Node) -> bool:
    """Whether what follows a statement may not run, since it returns or throws somewhere in it."""
    waiting = [statement]
    while waiting:
        node = waiting.pop()
        if node.type in _LEAVES:
            return True
        if node.type.endswith(("statement", "block", "_case", "_default", "_body", "_clause")) and (
            node.type not in {"expression_statement", "class_body"}
        ):
            waiting.extend(node.named_children)
    return False


def _is_static(member: Node) -> bool:
    return member.type == "class_static_block" or (
        member.type == "field_definition" and any(c.type == "static" for c in member.children)
    )


def _of_access(node: Node) -> list[Node]:
    """Return what runs of a call or an access; behind ``?.`` nothing is certain."""
    inner = node.child_by_field_name("function") or node.child_by_field_name("object")
    if inner is None:
        return node.named_children
    if _has_optional_chain(node):
        return [inner]
    body = _called_on_the_spot(inner) if node.type == "call_expression" else None
    rest = [child for child in node.named_children if child.id != inner.id]
    return [*rest, body] if body else [inner, *rest]


def _has_optional_chain(node: Node) -> bool:
    here: Node | None = node
    while here and here.type in {"call_expression", "member_expression", "subscript_expression"}:
        if any(child.type == "optional_chain" for child in here.children):
            return True
        here = here.child_by_field_name("function") or here.child_by_field_name("object")
    return False


def _called_on_the_spot(callee: Node) -> Node | None:
    """Return the body of a function that is called where it is written."""
    inner = unwrapped(callee)
    if inner.type == "member_expression":
        name = inner.child_by_field_name("property")
        target = inner.child_by_field_name("object")
        if not (name and target and name.text in {b"call", b"apply"}):
            return None
        inner = unwrapped(target)
    if inner.type not in {"arrow_function", "function_expression"}:
        return None
    if any(child.type == "async" for child in inner.children):
        return None
    parameters = inner.child_by_field_name("parameters") or inner.child_by_field_name("parameter")
    if parameters and re.search(rb"\b(?:require|module|exports)\b", parameters.text or b""):
        # Inside, the word means whatever is given.
        return None
    return inner.child_by_field_name("body")


def unwrapped(node: Node) -> Node:
    """Take away the parentheses around an expression."""
    while node.type == "parenthesized_expression" and node.named_child_count == 1:
        inner = node.named_child(0)
        assert inner  # noqa: S101  (it has one)
        node = inner
    return node


def first_of(node: Node | None) -> Node | None:
    """Return the first child that is not a comment; None where there is none."""
    children = node.named_children if node else []
    return next((child for child in children if child.type != "comment"), None)


def around(node: Node, types: Set[str]) -> Node | None:
    """Return the innermost node of some types that another lies in; None where there is none."""
    here = node.parent
    while here and here.type not in types:
        here = here.parent
    return here


def arguments_of(call: Node) -> list[Node]:
    """Return the arguments of a call."""
    arguments = call.child_by_field_name("arguments")
    return [c for c in arguments.named_children if c.type != "comment"] if arguments else []


def text_of(node: Node | None) -> str:
    """Return the text of a node; nothing for none."""
    return (node.text or b"").decode("utf-8", "replace") if node else ""


def string_of(node: Node | None) -> str | None:
    """Return the value of a string, or of a template that has no expressions in it."""
    if node is None or node.type not in {"string", "template_string"}:
        return None
    if any(child.type == "template_substitution" for child in node.named_children):
        return None
    return _ESCAPE.sub(_unescaped, text_of(node)[1:-1])


def _unescaped(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits:
        return chr(min(int(digits, 16), 0x10FFFF))
    return _PLAIN_ESCAPES.get(match[4], "" if match[4] == "\n" else match[4])
