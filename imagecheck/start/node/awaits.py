"""Uses of ``await`` outside of all functions that allow it."""

from collections.abc import Iterator

from tree_sitter import Node, Query

from imagecheck.start.node.parse import FUNCTIONS, LANGUAGE, around, captures, first_of

_AWAITS = Query(LANGUAGE, "(await_expression) @await")
_FUNCTION_TYPES = FUNCTIONS | {"method_definition", "class_static_block", "field_definition"}
_MAY_BE_A_NAME = frozenset(
    {
        "array",
        "parenthesized_expression",
        "regex",
        "template_string",
        "unary_expression",
        "update_expression",
    }
)


def awaits_outside(root: Node) -> Iterator[tuple[Node, bool]]:
    """Find each ``await x`` that nothing async is around, and whether no function is either.

    In a script ``await`` is a name like any other: what may be a call of it is left out.
    """
    for node in captures(_AWAITS, root).get("await", []):
        argument = first_of(node)
        if argument is None or argument.type in _MAY_BE_A_NAME:
            continue
        if (argument.text or b"")[:1] in b"([`/+-":
            continue
        function = around(node, _FUNCTION_TYPES)
        is_awaited = (
            function is not None
            and function.type not in {"class_static_block", "field_definition"}
            and any(child.type == "async" for child in function.children)
        )
        if not is_awaited:
            yield node, function is None
