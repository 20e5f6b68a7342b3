"""Conditions that the image's environment decides: ``process.env.STAGE === "production"``."""

from collections.abc import Mapping
from typing import Final

from tree_sitter import Node

from imagecheck.start.node.parse import string_of, text_of, unwrapped
from imagecheck.start.shell.state import UNKNOWN

_SET_BY_LAMBDA: Final = frozenset(
    {
        "AWS_DEFAULT_REGION",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
    }
)
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
_EQUAL: Final = {"===": True, "==": True, "!==": False, "!=": False}
_MAX_DEPTH: Final = 12


def decided(condition: Node, environment: Mapping[str, str], depth: int = 0) -> bool | None:
    """Return what a condition comes to; None where that is not known.

    A variable that the image does not set is not known: the function may set it.
    """
    condition = unwrapped(condition)
    if depth > _MAX_DEPTH:
        return None
    if condition.type == "unary_expression":
        inner = condition.child_by_field_name("argument")
        is_not = text_of(condition.child_by_field_name("operator")) == "!"
        known = decided(inner, environment, depth + 1) if inner and is_not else None
        return None if known is None else not known
    if condition.type == "binary_expression":
        return _of_two(condition, environment, depth)
    name = _variable(condition)
    if name in _SET_BY_LAMBDA:
        return True
    value = _value(name, environment)
    return None if value is None else bool(value)


def _value(name: str, environment: Mapping[str, str]) -> str | None:
    value = environment.get(name)
    return None if value is None or UNKNOWN in value else value


def _of_two(condition: Node, environment: Mapping[str, str], depth: int) -> bool | None:
    left, right = condition.child_by_field_name("left"), condition.child_by_field_name("right")
    operator = text_of(condition.child_by_field_name("operator"))
    if left is None or right is None:
        return None
    if operator in {"&&", "||"}:
        # One that is false decides the whole of &&, one that is true that of ||.
        known = [decided(side, environment, depth + 1) for side in (left, right)]
        decisive = operator == "||"
        if decisive in known:
            return decisive
        return None if None in known else not decisive
    if operator not in _EQUAL:
        return None
    for one, other in ((left, right), (right, left)):
        value, text = _value(_variable(one), environment), string_of(unwrapped(other))
        if value is not None and text is not None:
            return (value == text) is _EQUAL[operator]
    return None


def _variable(node: Node) -> str:
    """Return the name of a variable of the environment that is read; empty for none."""
    node = unwrapped(node)
    of = text_of(node.child_by_field_name("object"))
    if of != "process.env":
        return ""
    if node.type == "member_expression":
        return text_of(node.child_by_field_name("property"))
    index = node.child_by_field_name("index")
    return string_of(index) or "" if node.type == "subscript_expression" else ""
