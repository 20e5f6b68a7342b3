"""What the text of a Python module says: what it imports for certain, and what it binds."""

import ast
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, NamedTuple

from imagecheck.start.python.conditions import decided
from imagecheck.start.python.modules import Module
from imagecheck.start.python.new_syntax import may_be_newer, too_new
from imagecheck.start.python.path_changes import BELOW, PathChanges, Places, path_changes

MAX_TEXT_BYTES: Final = 1024**2
"""A longer text is not judged."""

_NAMED = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs,
    ast.MatchStar,
)  # fmt: skip
_WRITES_NAMES = {"globals", "exec", "locals", "setattr", "vars"}
_WRITES_ATTRIBUTES = {"__dict__", "modules"}
_WRITES = re.compile("|".join((*_WRITES_NAMES, *_WRITES_ATTRIBUTES)).encode())
_CHANGES_IMPORTS = re.compile(rb"\bsys\b|\bsite\b")
# To parse a name of many parts takes memory with the square of their number.
_MAX_NAME_PARTS = 1000
_DOTTED = re.compile(rb"[\w.\s\\]+")
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


@dataclass(frozen=True)
class Code:
    """What the text of a module says of it."""

    tree: ast.Module
    imports: tuple[Import, ...]
    """What is imported for certain when it is: not under if, try or def."""
    names: frozenset[str]
    """What it binds."""
    is_open: bool
    """Whether it may bind names that cannot be read from the text."""
    has_only_stars: bool
    """Whether that is for nothing but ``import *`` that are certain."""
    all_names: frozenset[str] | None
    """What its ``__all__`` has; None where there is none, or where that is not plain."""
    possible: frozenset[str]
    """The modules that it imports, for certain or not."""
    fallbacks: tuple["Fallback", ...]
    """What it imports for certain where something else is missing."""
    adds: tuple[str, ...]
    """The folders that it adds to ``sys.path``."""
    sites: tuple[str, ...]
    """Those of them whose ``.pth`` files are read."""
    makes: frozenset[str]
    """The modules that it puts into ``sys.modules``, or the packages of which it makes some."""
    changes_imports: bool
    """Whether it changes what imports find in a way that is not read here."""
    moves_imports: bool
    """Whether that may give a module of any name."""


class Unreadable(NamedTuple):
    """A text that is not judged."""

    why: str
    is_new: bool = False
    """Whether only a later Python than the one that reads it can tell."""


def parse(module: Module, text: bytes, minor: int | None, places: Places) -> Code | Unreadable:
    """Read a module's text. Raises SyntaxError where the image's Python 3.``minor`` would."""
    tree = parse_tree(module, text, minor)
    return tree if isinstance(tree, Unreadable) else _code_of(module, tree, text, minor, places)


def certain_imports(module: Module, text: bytes, minor: int | None) -> frozenset[tuple[str, str]]:
    """Return what a module of a package imports for certain: modules, and what it wants of them."""
    try:
        tree = parse_tree(module, text, minor, is_compiled=False)
    except SyntaxError:
        return frozenset()
    if isinstance(tree, Unreadable):
        return frozenset()
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    return frozenset((one.name, one.wanted) for one in _imports(tree.body, package, minor))


def parse_tree(
    module: Module, text: bytes, minor: int | None, *, is_compiled: bool = True
) -> ast.Module | Unreadable:
    """Parse a module's text. Raises SyntaxError where the image's Python 3.``minor`` would."""
    if module.node and module.node.entry.size > MAX_TEXT_BYTES:
        return Unreadable("it is longer than 1 MiB")
    if any(run.count(b".") > _MAX_NAME_PARTS for run in _DOTTED.findall(text)):
        return Unreadable("it has an endless name")
    ours = sys.version_info.minor
    version = (3, min(minor, ours)) if minor else None
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text, feature_version=version)
            if is_compiled:
                # Only now shows, for one, a return outside of a function.
                compile(tree, module.path, "exec", dont_inherit=True)
    except (RecursionError, MemoryError, ValueError):
        return Unreadable("it is too deeply nested, or has zero bytes")
    except SyntaxError as error:
        if minor and minor > ours and may_be_newer(error, text, minor):
            return Unreadable(
                f"its syntax is of Python 3.{minor}, and 3.{ours} reads it", is_new=True
            )
        raise
    if minor and (wrong := too_new(tree, text, minor)):
        raise wrong
    return tree


def names_of(
    tree: ast.Module, text: bytes, minor: int | None = None
) -> tuple[frozenset[str], bool]:
    """Return what a module binds, and whether it may bind more than its text shows."""
    names = frozenset(_bound(tree.body, minor, may_be_global=b"global" in text))
    return names, bool(names & {"*", "__getattr__"}) or _writes_names(tree, text)


def _writes_names(tree: ast.Module, text: bytes) -> bool:
    if not _WRITES.search(text):
        return False
    nodes = list(ast.walk(tree))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return bool(used & _WRITES_NAMES or attributes & _WRITES_ATTRIBUTES)


def _code_of(
    module: Module, tree: ast.Module, text: bytes, minor: int | None, places: Places
) -> Code:
    """Say what a parsed text does; to go through a whole tree costs more than to parse it."""
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    names, is_open = names_of(tree, text, minor)
    imports = tuple(_imports(tree.body, package, minor))
    is_plain = _CHANGES_IMPORTS.search(text) is None
    changes = PathChanges() if is_plain else path_changes(tree, module.path, places)
    return Code(
        tree=tree,
        imports=imports,
        names=names,
        is_open=is_open,
        has_only_stars=is_open and _has_only_stars(tree, text, names, imports),
        all_names=_all_names(tree) if "__all__" in names else None,
        possible=frozenset(_possible(tree, package)),
        fallbacks=tuple(_fallbacks(tree.body, package, minor)),
        adds=changes.adds,
        sites=changes.sites,
        makes=frozenset(module.name if name == BELOW else name for name in changes.makes),
        changes_imports=changes.is_open,
        moves_imports=changes.moves,
    )


def _has_only_stars(
    tree: ast.Module, text: bytes, names: frozenset[str], imports: Iterable[Import]
) -> bool:
    """Whether each ``import *`` of a module is certain, and nothing else binds names unseen."""
    if "__getattr__" in names or _writes_names(tree, text):
        return False
    stars = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    ]
    return len(stars) == sum(what.wanted == "*" for what in imports)


def _all_names(tree: ast.Module) -> frozenset[str] | None:
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


def _possible(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from {one.name for one in _from(node, package)}


def _fallbacks(body: Iterable[ast.stmt], package: str, minor: int | None) -> Iterator[Fallback]:
    """Find ``try: import this`` with ``except ImportError: import that``."""
    for statement in body:
        match statement:
            case ast.Try(body=[ast.Import() | ast.ImportFrom(), *_] as tried, handlers=handlers):
                plain = takewhile(lambda one: isinstance(one, ast.Import | ast.ImportFrom), tried)
                handler = next((one for one in handlers if _catches_import(one)), None)
                if handler and _is_for_imports(handler):
                    yield Fallback(
                        tuple(what for what in _imports(plain, package, minor) if not what.wanted),
                        tuple(_imports(handler.body, package, minor)),
                        tuple(_fallbacks(handler.body, package, minor)),
                    )
            case ast.If(test=test, body=inner, orelse=otherwise):
                holds = decided(test, minor)
                if holds is not None:
                    yield from _fallbacks(inner if holds else otherwise, package, minor)


def _imports(body: Iterable[ast.stmt], package: str, minor: int | None) -> Iterator[Import]:
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
                yield from _imports(inner, package, minor)
            case ast.If(test=test, body=inner, orelse=otherwise):
                holds = decided(test, minor)
                if holds is not None:
                    yield from _imports(inner if holds else otherwise, package, minor)
            case ast.Try(body=inner, handlers=handlers):
                if all(_ends(handler) for handler in handlers if _catches_import(handler)):
                    yield from _imports(inner, package, minor)
                yield from _imports(statement.finalbody, package, minor)
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
