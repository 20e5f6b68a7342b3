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

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import MAX_FILE_BYTES, Kind

BUILT_IN: Final = frozenset(
    """_abc _ast _codecs _collections _functools _imp _io _locale _operator _signal _sre _stat
    _string _symtable _thread _tokenize _tracemalloc _typing _warnings _weakref atexit builtins
    errno faulthandler gc itertools marshal posix pwd sys time""".split()  # noqa: SIM905
)
"""Modules that every CPython on Linux has built in: its Modules/Setup.bootstrap.in."""

_LIBRARY = re.compile(r"python3\.(\d+)")
_NATIVE = re.compile(r"\.(?:cpython-[\w-]+\.|abi3\.)?so")
_NAMED = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.ExceptHandler, ast.MatchAs,
    ast.MatchStar,
)  # fmt: skip
_WRITES_NAMES = {"globals", "exec", "locals", "setattr", "vars"}
_WRITES_ATTRIBUTES = {"__dict__", "modules"}
# https://docs.python.org/3/reference/import.html#import-hooks
_CHANGES_IMPORTS = re.compile(
    rb"sys\.(?:path|modules|meta_path)|from\s+sys\s+import|addsitedir|import_module"
)
# To parse a name of many parts takes memory with the square of their number.
_MAX_NAME_PARTS = 1000
_DOTTED = re.compile(rb"[\w.\s\\]+")
_HARMLESS = ("distutils-precedence.pth",)
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
    """The folders in which the image's Python looks for modules.

    Args:
        files: the image's files.
        program: the path of what runs; where that does not name its version, it is AWS's Python in
            /var/lang, or the only one there is.
        roots: the folders that come first.

    """

    def __init__(self, files: FileSystem, program: str, roots: Sequence[str]) -> None:
        self._files = files
        libraries = []
        standard = []
        self.has_path_files = False
        """Whether an installed file adds folders or hooks: library/site.html in Python's docs."""
        for node in files.below("/"):
            name = posixpath.basename(node.path)
            if node.kind is not Kind.DIRECTORY:
                continue
            match = _LIBRARY.fullmatch(name)
            if match and "os.py" in node.children:
                standard.append(node.path)
            if match or name in _PACKAGES:
                libraries.append(node.path)
                self.has_path_files |= any(
                    child.endswith(".pth") and child not in _HARMLESS for child in node.children
                )
        self.minor = _minor(program, standard)
        """The ``N`` of the image's Python 3.N; None where it is not clear which one runs."""
        ours = [path for path in libraries if not self._is_of_another_python(path)]
        self.folders = [*roots, "/opt/python", "/var/runtime", *ours]

    def _is_of_another_python(self, path: str) -> bool:
        versions = {int(minor) for minor in _LIBRARY.findall(path)}
        return bool(self.minor and versions and self.minor not in versions)

    def find(self, name: str) -> Module | None:
        """Return the module of a dotted name; a name that starts with a dot is none."""
        if name.startswith("."):
            return None
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
            source = self._files.find(f"{path}.py")
            if source and source.kind is Kind.FILE:
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


def _minor(program: str, standard: Sequence[str]) -> int | None:
    named = _LIBRARY.fullmatch(posixpath.basename(program))
    aws = [path for path in standard if path.startswith("/var/lang/")]
    minors = {int(minor) for path in aws or standard for minor in _LIBRARY.findall(path)}
    if named:
        return int(named[1])
    return minors.pop() if len(minors) == 1 else None


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
    if any(run.count(b".") > _MAX_NAME_PARTS for run in _DOTTED.findall(text)):
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
            # What is new in that version is not known to this one.
            return None
        raise
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = frozenset(_bound(tree.body))
    return Code(
        imports=tuple(_imports(tree.body, package)),
        names=names,
        is_open=bool(
            names & {"*", "__getattr__"} or used & _WRITES_NAMES or attributes & _WRITES_ATTRIBUTES
        ),
        changes_path=bool(_CHANGES_IMPORTS.search(text)),
    )


def _imports(body: Iterable[ast.stmt], package: str) -> Iterator[Import]:
    for statement in body:
        match statement:
            case ast.Import(names=names):
                yield from (Import(alias.name, is_module=True) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = module or ""
                if level:
                    parents = package.split(".") if package else []
                    if level > len(parents):
                        # There is no such parent; with the dots, nothing is found.
                        yield Import("." * level + base, is_module=True)
                        continue
                    kept = ".".join(parents[: len(parents) - level + 1])
                    base = ".".join(part for part in (kept, base) if part)
                yield Import(base, is_module=True)
                for alias in names:
                    yield Import(f"{base}.{alias.name}", is_module=False)
            case ast.ClassDef(body=inner):
                yield from _imports(inner, package)
            case _:
                pass


def _bound(body: Iterable[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
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


def _global(statement: ast.stmt) -> Iterator[str]:
    """Find what a function binds in its module, if it is called."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Global):
            yield from node.names
