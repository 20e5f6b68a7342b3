"""The modules that a module certainly asks for while it loads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from tree_sitter import Node

from imagecheck.budget import Budget
from imagecheck.start.node.conditions import decided
from imagecheck.start.node.parse import (
    arguments_of,
    first_of,
    running,
    string_of,
    text_of,
    unwrapped,
)
from imagecheck.start.node.scopes import home_of, table_of_modules
from imagecheck.start.node.static_paths import ModuleContext, path_of

_OWN_REQUIRE = re.compile(
    rb"\b(?:var|let|const)\s+require\s*=\s*(?:\(0,\s*)?[\w$.]*(?:createRequire|[cC]r\w*)\)?\("
    rb"\s*import\.meta\.url\s*\)"
)
_OTHER_REQUIRE = re.compile(
    rb"\b(?:var|let|const|function|class)\s+require(?![\w$])|[,{]\s*require\s*[,}=]"
    rb"|(?<![\w$.])require\s*=(?!=)"
)

_PASSED_ON = re.compile(rb"\.exports\s*=\s*require\(")


@dataclass(frozen=True)
class ModuleRequest:
    """A module that another one asks for."""

    name: str
    how: Literal["require", "import"]
    line: int
    names: tuple[str, ...] = ()
    """What an ``import { a }`` or ``export { a } from`` wants of it."""
    has_type: bool = False
    """Whether it says what type the module is: ``with { type: "json" }``."""
    is_loaded: bool = True
    """False for ``require.resolve``, which only looks."""


def requests(
    root: Node, text: bytes, *, is_module: bool, budget: Budget, place: ModuleContext | None = None
) -> Iterator[ModuleRequest]:
    """Find what a module loads for certain, in the order of its text.

    Where its ``place`` is given, paths that it puts together count too.

    In an ES module, ``require`` is one that ``createRequire`` made of its own address, or nothing.
    """
    own = _OWN_REQUIRE.search(text)
    has_require = bool(own) if is_module else not _OTHER_REQUIRE.search(text)
    if not (b"import" in text or b"from" in text or (has_require and b"require" in text)):
        return
    if is_module:
        # These come before all that runs, wherever they stand.
        yield from filter(None, map(_statement, root.named_children))
    decide = partial(decided, environment=place.environment) if place else None
    for node in running(root, budget, decide):
        if node.type == "call_expression":
            if has_require and (request := _require(node, root, place)):
                yield request
        elif node.type == "await_expression" and (request := _awaited(node)):
            yield request
    if has_require and _PASSED_ON.search(text):
        yield from _of_table(root, budget)


def _of_table(root: Node, budget: Budget) -> Iterator[ModuleRequest]:
    """Find what the modules of a bundle require that webpack or ncc made, where they are loaded."""
    home = home_of(root)
    table = table_of_modules(home)
    if table is None:
        return
    load, modules = table
    loaded: set[str] = set()
    waiting: list[tuple[Node, str]] = [(root, load)]
    while waiting:
        body, name = waiting.pop()
        for node in running(body, budget):
            if node.type != "call_expression":
                continue
            if body.id != root.id and (request := _require(node, root, None)):
                yield request
            key = text_of(first_of(node.child_by_field_name("arguments"))).strip("'\"")
            is_load = text_of(node.child_by_field_name("function")) == name
            if not is_load or key not in modules or key in loaded:
                continue
            loaded.add(key)
            function = modules[key]
            parameters = function.child_by_field_name("parameters")
            given = parameters.named_children if parameters else []
            inner = function.child_by_field_name("body")
            if inner:
                # Its third parameter is what loads others.
                waiting.append((inner, text_of(given[2]) if len(given) > 2 else ""))  # noqa: PLR2004


def _statement(node: Node) -> ModuleRequest | None:
    if node.type not in {"import_statement", "export_statement"}:
        return None
    name = string_of(node.child_by_field_name("source"))
    if name is None:
        return None
    has_type = asserts_type(node) or any(c.type == "import_attribute" for c in node.named_children)
    return ModuleRequest(
        name,
        "import",
        node.start_point[0] + 1,
        tuple(_wanted(node)),
        has_type=has_type,
    )


def asserts_type(statement: Node) -> bool:
    """Whether an import says its type by ``assert``, as it was written before Node 22."""
    return any(
        child.is_error and text_of(child).lstrip().startswith("assert")
        for child in statement.named_children
    )


def _wanted(statement: Node) -> Iterator[str]:
    waiting = [c for c in statement.named_children if c.type in {"import_clause", "export_clause"}]
    while waiting:
        node = waiting.pop()
        if node.type in {"import_specifier", "export_specifier"}:
            name = node.child_by_field_name("name")
            yield string_of(name) or text_of(name)
        elif node.type == "identifier":
            yield "default"
        elif node.type in {"import_clause", "export_clause", "named_imports"}:
            waiting.extend(node.named_children)


def _require(call: Node, root: Node, place: ModuleContext | None) -> ModuleRequest | None:
    function = call.child_by_field_name("function")
    if function is None:
        return None
    callee = text_of(unwrapped(function))
    if callee not in {"require", "require.resolve"}:
        return None
    given = arguments_of(call)
    if len(given) != 1:
        return None
    name = string_of(given[0])
    if name is None and place is not None:
        name = path_of(given[0], root, place)
    if name is None:
        return None
    return ModuleRequest(name, "require", call.start_point[0] + 1, is_loaded=callee == "require")


def _awaited(node: Node) -> ModuleRequest | None:
    """Read ``await import("x")``."""
    call = first_of(node)
    if call is None or call.type != "call_expression":
        return None
    function = call.child_by_field_name("function")
    arguments = call.child_by_field_name("arguments")
    if function is None or function.type != "import" or arguments is None:
        return None
    name = string_of(first_of(arguments))
    if name is None:
        return None
    has_type = arguments.named_child_count > 1
    return ModuleRequest(name, "import", node.start_point[0] + 1, has_type=has_type)


def top_level_await(root: Node, budget: Budget) -> int:
    """Return the line of an ``await`` that runs while the module loads; 0 where there is none."""
    for node in running(root, budget):
        if node.type == "await_expression":
            return node.start_point[0] + 1
    return 0
