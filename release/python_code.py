"""Python modules of an image: where an import would find them, and what is in them.

https://docs.python.org/3/reference/import.html
"""

import ast
import posixpath
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from release.image.filesystem import FileSystem, Node
from release.image.layer import MAX_FILE_BYTES, Kind

BUILT_IN: Final = frozenset(
    """_abc _ast _codecs _collections _functools _imp _io _locale _operator _signal _sre _stat
    _string _symtable _thread _tokenize _tracemalloc _typing _warnings _weakref atexit builtins
    errno faulthandler gc itertools marshal posix pwd sys time""".split()  # noqa: SIM905
)
"""Modules that every CPython on Linux has built in: its Modules/Setup.bootstrap.in."""

_LIBRARY = re.compile(r"python3\.(\d+)")
_NATIVE = re.compile(r"\.(?:cpython-[\w-]+\.|abi3\.)?so")
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler)
_WRITES_NAMES = {"globals", "exec", "vars"}
_PACKAGES = ("site-packages", "dist-packages", "lib-dynload")


@dataclass(frozen=True)
class Module:
    """What an import finds. ``source`` is None where it is no Python text."""

    name: str
    path: str
    source: Node | None
    is_package: bool

    @property
    def is_namespace(self) -> bool:
        """Whether it is a folder without code of its own."""
        return self.is_package and self.source is None


class SearchPath:
    """The folders in which the image's Python looks for modules."""

    def __init__(self, files: FileSystem, roots: Sequence[str], more: Iterable[str]) -> None:
        self._files = files
        libraries = []
        self.minor: int | None = None
        """The ``N`` of the image's Python 3.N."""
        for node in files.below("/"):
            name = posixpath.basename(node.path)
            if node.kind is not Kind.DIRECTORY:
                continue
            match = _LIBRARY.fullmatch(name)
            if match and "os.py" in node.children:
                self.minor = max(self.minor or 0, int(match[1]))
            if match or name in _PACKAGES:
                libraries.append(node.path)
        self.folders = [*roots, *more, "/opt/python", "/var/runtime", *libraries]

    def find(self, name: str) -> Module | None:
        """Return the module of a dotted name."""
        relative = name.replace(".", "/")
        namespace = None
        for root in self.folders:
            path = posixpath.join(root, relative)
            node = self._files.find(path)
            if node and node.kind is Kind.DIRECTORY:
                init = self._files.find(f"{path}/__init__.py")
                if init:
                    return Module(name, init.path, init, is_package=True)
                namespace = namespace or Module(name, path, None, is_package=True)
            if source := self._files.find(f"{path}.py"):
                return Module(name, source.path, source, is_package=False)
            if native := self._native(path):
                return Module(name, native.path, None, is_package=False)
        return namespace

    def _native(self, path: str) -> Node | None:
        folder = self._files.find(posixpath.dirname(path))
        stem = posixpath.basename(path)
        for name, node in folder.children.items() if folder else ():
            if name.startswith(stem) and (
                _NATIVE.fullmatch(name, len(stem)) or name == f"{stem}.pyc"
            ):
                return node
        return None


class Import(NamedTuple):
    """A module that is imported."""

    name: str
    is_module: bool
    """False for what ``from package import name`` names, which may be no module."""


@dataclass(frozen=True)
class Code:
    """What the text of a module says of it."""

    imports: tuple[Import, ...]
    """What is imported for certain when it is: not under if, try or def."""
    names: frozenset[str]
    """What it binds."""
    is_open: bool
    """Whether it may bind names that cannot be read from the text."""
    changes_path: bool
    """Whether it changes where imports look."""


def parse(module: Module, text: bytes, minor: int | None) -> Code | None:
    """Read a module's text; None where it cannot be judged here.

    ``minor`` is that of the image's Python. Raises SyntaxError where that one would.
    """
    if module.source and module.source.entry.size > MAX_FILE_BYTES:
        return None
    ours = sys.version_info.minor
    version = (3, min(minor, ours)) if minor else None
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text, feature_version=version)
            # Only now shows, for one, a return outside of a function.
            compile(tree, module.path, "exec", dont_inherit=True)
    except (RecursionError, MemoryError, ValueError):
        return None
    except SyntaxError:
        if minor and minor > ours:
            return None
        raise
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names = frozenset(_bound(tree.body))
    return Code(
        imports=tuple(_imports(tree.body, package)),
        names=names,
        is_open="*" in names or "__getattr__" in names or bool(used & _WRITES_NAMES),
        changes_path=b"sys.path" in text or b"site.addsitedir" in text,
    )


def _imports(body: Iterable[ast.stmt], package: str) -> Iterator[Import]:
    for statement in body:
        match statement:
            case ast.Import(names=names):
                yield from (Import(alias.name, is_module=True) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = module or ""
                if level:
                    parents = package.split(".")
                    kept = ".".join(parents[: len(parents) - level + 1])
                    base = ".".join(part for part in (kept, base) if part)
                yield Import(base, is_module=True)
                for alias in names:
                    yield Import(f"{base}.{alias.name}", is_module=False)
            case ast.With(body=inner) | ast.ClassDef(body=inner):
                yield from _imports(inner, package)
            case _:
                pass


def _bound(body: Iterable[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield from ((a.asname or a.name).partition(".")[0] for a in node.names)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, _NAMED) and node.name:
                yield node.name
