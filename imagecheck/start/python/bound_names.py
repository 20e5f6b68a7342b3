"""The names that a Python module binds, and whether it may bind more than its text shows."""

import ast
import re
from collections.abc import Iterable, Iterator

from imagecheck.start.python.conditions import decided

_NAMED = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs,
    ast.MatchStar,
)  # fmt: skip
_WRITES_NAMES = {"globals", "exec", "locals", "setattr", "vars"}
_WRITES_ATTRIBUTES = {"__dict__", "modules"}
_WRITES = re.compile("|".join((*_WRITES_NAMES, *_WRITES_ATTRIBUTES)).encode())


def names_of(
    tree: ast.Module, text: bytes, minor: int | None = None
) -> tuple[frozenset[str], bool]:
    """Return what a module binds, and whether it may bind more than its text shows."""
    names = frozenset(_bound(tree.body, minor, may_be_global=b"global" in text))
    return names, bool(names & {"*", "__getattr__"}) or writes_names(tree, text)


def writes_names(tree: ast.Module, text: bytes) -> bool:
    """Whether a module may bind names by ``globals()``, ``exec``, ``setattr`` and the like."""
    if not _WRITES.search(text):
        return False
    nodes = list(ast.walk(tree))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return bool(used & _WRITES_NAMES or attributes & _WRITES_ATTRIBUTES)


def all_names_of(tree: ast.Module) -> frozenset[str] | None:
    """Return what ``__all__`` has, where one statement says it."""
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "__all__"]
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value) if len(uses) == 1:
                try:
                    return frozenset(map(str, ast.literal_eval(value)))
                except (ValueError, TypeError, MemoryError, RecursionError):
                    return None
    return None


def _bound(body: Iterable[ast.stmt], minor: int | None, *, may_be_global: bool) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.If) and (holds := decided(statement.test, minor)) is not None:
            chosen = statement.body if holds else statement.orelse
            yield from _bound(chosen, minor, may_be_global=may_be_global)
            continue
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
            if may_be_global:
                yield from _global(statement)
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from ((a.asname or a.name).partition(".")[0] for a in node.names)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, _NAMED) and node.name:
                yield node.name
            elif isinstance(node, ast.MatchMapping) and node.rest:
                yield node.rest
            elif isinstance(node, ast.Global):
                yield from node.names


def _global(statement: ast.stmt) -> Iterator[str]:
    """Find what a function binds in its module, if it is called."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Global):
            yield from node.names
