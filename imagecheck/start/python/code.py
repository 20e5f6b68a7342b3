"""A Python text, parsed as the interpreter of the image would: its imports, names and changes."""

import ast
import re
import sys
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from imagecheck.start.python.bound_names import all_names_of, names_of, writes_names
from imagecheck.start.python.import_statements import (
    Fallback,
    Import,
    fallbacks_of,
    imports_of,
    possible_imports,
)
from imagecheck.start.python.modules import Module
from imagecheck.start.python.new_syntax import may_be_newer, too_new
from imagecheck.start.python.path_changes import BELOW, PathChanges, ProcessContext, path_changes

MAX_TEXT_BYTES: Final = 1024**2
"""A longer text is not judged."""

_CHANGES_IMPORTS = re.compile(rb"\bsys\b|\bsite\b")
# To parse a name of many parts takes memory with the square of their number.
_MAX_NAME_PARTS = 1000
_DOTTED = re.compile(rb"[\w.\s\\]+")


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


class UnparsedCode(NamedTuple):
    """A text that is not judged."""

    why: str
    is_new: bool = False
    """Whether only a later Python than the one that reads it can tell."""


def parse(
    module: Module, text: bytes, minor: int | None, places: ProcessContext
) -> Code | UnparsedCode:
    """Read a module's text. Raises SyntaxError where the image's Python 3.``minor`` would."""
    tree = parse_tree(module, text, minor)
    return tree if isinstance(tree, UnparsedCode) else _code_of(module, tree, text, minor, places)


def certain_imports(module: Module, text: bytes, minor: int | None) -> frozenset[tuple[str, str]]:
    """Return what a module of a package imports for certain: modules, and what it wants of them."""
    try:
        tree = parse_tree(module, text, minor, is_compiled=False)
    except SyntaxError:
        return frozenset()
    if isinstance(tree, UnparsedCode):
        return frozenset()
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    return frozenset((one.name, one.wanted) for one in imports_of(tree.body, package, minor))


def parse_tree(
    module: Module, text: bytes, minor: int | None, *, is_compiled: bool = True
) -> ast.Module | UnparsedCode:
    """Parse a module's text. Raises SyntaxError where the image's Python 3.``minor`` would."""
    if module.node and module.node.entry.size > MAX_TEXT_BYTES:
        return UnparsedCode("it is longer than 1 MiB")
    if any(run.count(b".") > _MAX_NAME_PARTS for run in _DOTTED.findall(text)):
        return UnparsedCode("it has an endless name")
    ours = sys.version_info.minor
    version = (3, min(minor, ours)) if minor else None
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text, feature_version=version)
            if is_compiled:
                # Only now shows, for one, a return outside of a function.
                compile(tree, module.path, "exec", dont_inherit=True)
    except (RecursionError, MemoryError, ValueError):
        return UnparsedCode("it is too deeply nested, or has zero bytes")
    except SyntaxError as error:
        if minor and minor > ours and may_be_newer(error, text, minor):
            return UnparsedCode(
                f"its syntax is of Python 3.{minor}, and 3.{ours} reads it", is_new=True
            )
        raise
    if minor and (wrong := too_new(tree, text, minor)):
        raise wrong
    return tree


def _code_of(
    module: Module, tree: ast.Module, text: bytes, minor: int | None, places: ProcessContext
) -> Code:
    """Say what a parsed text does; to go through a whole tree costs more than to parse it."""
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    names, is_open = names_of(tree, text, minor)
    imports = tuple(imports_of(tree.body, package, minor))
    is_plain = _CHANGES_IMPORTS.search(text) is None
    changes = PathChanges() if is_plain else path_changes(tree, module.path, places)
    return Code(
        tree=tree,
        imports=imports,
        names=names,
        is_open=is_open,
        has_only_stars=is_open and _has_only_stars(tree, text, names, imports),
        all_names=all_names_of(tree) if "__all__" in names else None,
        possible=frozenset(possible_imports(tree, package)),
        fallbacks=tuple(fallbacks_of(tree.body, package, minor)),
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
    if "__getattr__" in names or writes_names(tree, text):
        return False
    stars = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    ]
    return len(stars) == sum(what.wanted == "*" for what in imports)
