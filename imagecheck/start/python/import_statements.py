"""The imports of a Python text: those that are certain, those in place of others, and all."""

import ast
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import NamedTuple

from imagecheck.start.python.conditions import decided

_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


class Import(NamedTuple):
    """A module that is imported."""

    name: str
    line: int
    wanted: str = ""
    """What ``from name import wanted`` names: something that it binds, or a module in it."""


class Fallback(NamedTuple):
    """What is imported in place of something that is missing."""

    tried: tuple[Import, ...]
    instead: tuple[Import, ...]
    inner: tuple["Fallback", ...]
    """What is imported where that is missing, too."""


def possible_imports(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the names of all modules that a text imports anywhere, for certain or not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from {one.name for one in _from(node, package)}


def fallbacks_of(body: Iterable[ast.stmt], package: str, minor: int | None) -> Iterator[Fallback]:
    """Find ``try: import this`` with ``except ImportError: import that``."""
    for statement in body:
        match statement:
            case ast.Try(body=[ast.Import() | ast.ImportFrom(), *_] as tried, handlers=handlers):
                plain = takewhile(lambda one: isinstance(one, ast.Import | ast.ImportFrom), tried)
                handler = next((one for one in handlers if _catches_import(one)), None)
                if handler and _is_for_imports(handler):
                    yield Fallback(
                        tuple(
                            what for what in imports_of(plain, package, minor) if not what.wanted
                        ),
                        tuple(imports_of(handler.body, package, minor)),
                        tuple(fallbacks_of(handler.body, package, minor)),
                    )
            case ast.If(test=test, body=inner, orelse=otherwise):
                holds = decided(test, minor)
                if holds is not None:
                    yield from fallbacks_of(inner if holds else otherwise, package, minor)


def imports_of(body: Iterable[ast.stmt], package: str, minor: int | None) -> Iterator[Import]:
    """Yield what statements import for certain when they are run, in order."""
    importing = {"__import__"}
    for statement in body:
        match statement:
            case ast.Import(names=names):
                yield from (Import(alias.name, statement.lineno) for alias in names)
            case ast.ImportFrom():
                importing |= _import_functions(statement)
                yield from _from(statement, package)
            case ast.Expr(value=ast.Call() as call) | ast.Assign(value=ast.Call() as call):
                yield from _called(call, package, importing)
            case ast.ClassDef(body=inner):
                yield from imports_of(inner, package, minor)
            case ast.If(test=test, body=inner, orelse=otherwise):
                holds = decided(test, minor)
                if holds is not None:
                    yield from imports_of(inner if holds else otherwise, package, minor)
            case ast.Try(body=inner, handlers=handlers):
                if all(_ends(handler) for handler in handlers if _catches_import(handler)):
                    yield from imports_of(inner, package, minor)
                yield from imports_of(statement.finalbody, package, minor)
            case ast.Raise():
                return
            case _:
                pass


def _import_functions(statement: ast.ImportFrom) -> set[str]:
    """Return the names that ``importlib.import_module`` gets."""
    if statement.module != "importlib" or statement.level:
        return set()
    return {one.asname or one.name for one in statement.names if one.name == "import_module"}


def _called(call: ast.Call, package: str, importing: set[str]) -> Iterator[Import]:
    """Read ``importlib.import_module("name")`` and ``__import__("name")``."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="importlib"), attr="import_module"):
            is_import = True
        case ast.Name(id=name):
            is_import = name in importing
        case _:
            is_import = False
    if not is_import or call.keywords:
        return
    match call.args:
        case [ast.Constant(value=str(name))] if not name.startswith("."):
            yield Import(name, call.lineno)
        case [ast.Constant(value=str(name)), ast.Name(id="__package__")] if package:
            below = name.removeprefix(".")
            if below != name and not below.startswith("."):
                yield Import(f"{package}.{below}", call.lineno)


def _from(statement: ast.ImportFrom, package: str) -> Iterator[Import]:
    base = statement.module or ""
    level = statement.level
    if level:
        parents = package.split(".") if package else []
        if level > len(parents):
            # There is no such parent; with the dots, nothing is found.
            yield Import("." * level + base, statement.lineno)
            return
        kept = ".".join(parents[: len(parents) - level + 1])
        base = ".".join(part for part in (kept, base) if part)
    yield Import(base, statement.lineno)
    for alias in statement.names:
        yield Import(base, statement.lineno, alias.name)


def _catches_import(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    others = {"OSError", "ValueError", "KeyError", "AttributeError", "TypeError", "RuntimeError"}
    return bool(names & _IMPORT_ERRORS) or not names <= others


def _is_for_imports(handler: ast.ExceptHandler) -> bool:
    """Whether it is run for certain where a module is missing."""
    if handler.type is None:
        return True
    named = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(one, ast.Name) and one.id in _IMPORT_ERRORS for one in named)


def _ends(handler: ast.ExceptHandler) -> bool:
    """Whether it raises again, whatever it does before."""
    plain = (ast.Raise, ast.Expr, ast.Assign)
    return isinstance(handler.body[-1], ast.Raise) and all(
        isinstance(statement, plain) for statement in handler.body
    )
