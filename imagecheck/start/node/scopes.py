"""Scopes of names: a module's own uses, and the function that a bundler wraps around it.

(() => { var table = {…}; …; module.exports = result; })();
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from tree_sitter import Node

from imagecheck.start.node.parse import FUNCTIONS, around, first_of, text_of, unwrapped

_LOADS: Final = re.compile(r"require\(['\"][^'\"]+['\"]\)(?:\.install\(\))?")
_PATTERNS: Final = frozenset(
    {
        "array_pattern",
        "assignment_pattern",
        "object_assignment_pattern",
        "object_pattern",
        "pair_pattern",
        "rest_pattern",
    }
)
_WITH_PARAMETERS: Final = FUNCTIONS | {"method_definition"}
_BLOCKS: Final = _WITH_PARAMETERS | {
    "class_static_block",
    "for_in_statement",
    "for_statement",
    "program",
    "statement_block",
    "switch_body",
}
_OF_BLOCKS: Final = frozenset(
    {"class_declaration", "function_declaration", "generator_function_declaration"}
)


class Inside:
    """The places that are in some nodes."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        """Take the nodes; each may lie in another."""
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted((node.start_byte, node.end_byte) for node in nodes):
            # What lies in the one before adds nothing.
            if not self._ends or end > self._ends[-1]:
                self._starts.append(start)
                self._ends.append(end)

    def __contains__(self, place: int) -> bool:
        """Whether a place, in bytes, is in one of them."""
        number = bisect_right(self._starts, place) - 1
        return number >= 0 and place < self._ends[number]


def home_of(root: Node) -> Node:
    """Return where a module declares its names: its root, or the one function that is all of it."""
    statements = [
        child
        for child in root.named_children
        if child.type not in {"comment", "hash_bang_line", "empty_statement"}
        and not _is_of_no_account(child)
    ]
    if len(statements) != 1 or statements[0].type != "expression_statement":
        return root
    call = unwrapped(statements[0].named_children[0])
    function = call.child_by_field_name("function") if call.type == "call_expression" else None
    function = unwrapped(function) if function else None
    if function is None or function.type not in {"arrow_function", "function_expression"}:
        return root
    parameters = function.child_by_field_name("parameters")
    body = function.child_by_field_name("body")
    has_none = parameters is not None and parameters.named_child_count == 0
    return body if has_none and body and body.type == "statement_block" else root


def meaning_others(words: Iterable[Node], home: Node) -> Inside:
    """Return where a name, of which these are all uses, is another one than that at home."""
    scopes = []
    for word in words:
        scope = _scope_of(word)
        is_inner = scope is not None and (
            scope.start_byte > home.start_byte or scope.end_byte < home.end_byte
        )
        if scope and is_inner and scope.start_byte >= home.start_byte:
            scopes.append(scope)
    return Inside(scopes)


def _is_of_no_account(statement: Node) -> bool:
    """Whether a statement is ``"use strict"``, or only loads something."""
    inner = first_of(statement)
    return (
        statement.type == "expression_statement"
        and inner is not None
        and (inner.type == "string" or _LOADS.fullmatch(text_of(inner)) is not None)
    )


def _scope_of(word: Node) -> Node | None:
    """Return where a name holds that a word declares; None where it declares none."""
    here, holder = word, word.parent
    while holder and holder.type in _PATTERNS:
        if holder.type in {"assignment_pattern", "object_assignment_pattern"}:
            left = holder.child_by_field_name("left")
            if left is None or left.id != here.id:
                return None
        here, holder = holder, holder.parent
    return _scope_in(holder, here) if holder else None


def _scope_in(holder: Node, name: Node) -> Node | None:
    """Return where a name holds that is given in a node of some kind."""
    scope = None
    if holder.type == "formal_parameters":
        scope = holder.parent
    elif holder.type == "catch_clause" or (
        holder.type in _WITH_PARAMETERS and _is_field(holder, "parameter", name)
    ):
        scope = holder
    elif holder.type == "variable_declarator" and _is_field(holder, "name", name):
        is_var = holder.parent is not None and holder.parent.type == "variable_declaration"
        scope = around(holder, _WITH_PARAMETERS | {"program"} if is_var else _BLOCKS)
    elif holder.type == "for_in_statement" and _is_field(holder, "left", name):
        kind = text_of(holder.child_by_field_name("kind"))
        if kind:
            scope = around(holder, _WITH_PARAMETERS | {"program"}) if kind == "var" else holder
    elif holder.type in _OF_BLOCKS and _is_field(holder, "name", name):
        scope = around(holder, _BLOCKS)
    elif holder.type in {"class", *FUNCTIONS} and _is_field(holder, "name", name):
        scope = holder
    return scope


def _is_field(node: Node, name: str, child: Node) -> bool:
    found = node.child_by_field_name(name)
    return found is not None and found.id == child.id


def table_of_modules(home: Node) -> tuple[str, dict[str, Node]] | None:
    """Find the table of functions that webpack makes of modules, and what it loads them by."""
    tables: list[tuple[str, dict[str, Node]]] = []
    for statement in home.named_children:
        if statement.type not in {"lexical_declaration", "variable_declaration"}:
            continue
        for declarator in statement.named_children:
            value = declarator.child_by_field_name("value")
            value = unwrapped(value) if value else None
            modules = _functions_of(value) if value and value.type == "object" else {}
            if modules:
                tables.append((text_of(declarator.child_by_field_name("name")), modules))
    for statement in home.named_children:
        if statement.type == "function_declaration":
            text = text_of(statement)
            for name, modules in tables:
                if f"{name}[" in text:
                    return text_of(statement.child_by_field_name("name")), modules
    return None


def _functions_of(table: Node) -> dict[str, Node]:
    found = {}
    for member in table.named_children:
        if member.type == "pair":
            key, value = member.child_by_field_name("key"), member.child_by_field_name("value")
        elif member.type == "method_definition":
            key, value = member.child_by_field_name("name"), member
        else:
            continue
        value = unwrapped(value) if value else None
        if key is None or value is None or value.type not in _WITH_PARAMETERS:
            continue
        found[text_of(key).strip("'\"")] = value
    return found
