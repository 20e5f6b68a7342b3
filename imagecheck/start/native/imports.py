"""Modules that a Python module imports without a fallback, in other people's packages too.

What is imported in a try that goes on without it is left out: many packages have a part in machine
code that they can do without.
"""

import ast
import posixpath
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import MAX_FILE_BYTES, FileKind
from imagecheck.start.python.conditions import decided

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_MAX_ROUNDS: Final = 16
_MAX_MODULES: Final = 2000
_NATIVE = re.compile(r"\.(?:.*\.)?(?:so|pyd)$")
_DOTTED = re.compile(rb"[\w.\s\\]+")
_MAX_NAME_PARTS = 1000
_CATCHES_IMPORT = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException", "OSError"}


def certainly_imported(
    subject: "Subject", start: Iterable[Node], wanted: Iterable[Node]
) -> set[str]:
    """Return the paths of those native modules that the modules of ``start`` lead to."""
    files = subject.files
    assert files  # noqa: S101  (nodes come from files)
    targets = {node.path for node in wanted}
    waiting = [node for node in start if node.path.endswith(".py")]
    seen = {node.path for node in waiting}
    roots = sorted({_root(files, node.path) for node in waiting} | set(_roots_of(targets)))
    found: set[str] = set()
    for _ in range(_MAX_ROUNDS):
        texts = subject.contents([node for node in waiting if node.is_readable()])
        names = {
            name
            for node in waiting
            for name in hard_imports(texts.get(node.path, b""), _name(files, node.path), node.path)
        }
        waiting = []
        for name in names:
            for node in _resolve(files, roots, name):
                subject.budget.spend()
                if node.path in targets:
                    found.add(node.path)
                elif node.path not in seen and node.path.endswith(".py"):
                    seen.add(node.path)
                    waiting.append(node)
        if not waiting or len(seen) > _MAX_MODULES:
            break
    return found


def hard_imports(text: bytes, module: str, path: str) -> Iterator[str]:
    """Yield the dotted names that importing a module imports, whatever is missing."""
    if len(text) >= MAX_FILE_BYTES:
        return
    if any(run.count(b".") > _MAX_NAME_PARTS for run in _DOTTED.findall(text)):
        return
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    package = module if path.endswith("/__init__.py") else module.rpartition(".")[0]
    yield from _imports(tree.body, package)


def _imports(body: Iterable[ast.stmt], package: str) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                parents = package.split(".") if package else []
                if level > len(parents):
                    continue
                kept = parents[: len(parents) - level + 1] if level else []
                base = ".".join([*kept, *([module] if module else [])])
                yield base
                yield from (f"{base}.{alias.name}" for alias in names)
            case ast.Try(body=inner, handlers=handlers, orelse=after, finalbody=last):
                if all(map(_goes_on_raising, handlers)):
                    yield from _imports([*inner, *after], package)
                yield from _imports(last, package)
            case ast.If(test=ast.Name(id=name), orelse=after) if name.endswith("_SETUP__"):
                # True only while the package itself is being built.
                yield from _imports(after, package)
            case ast.If(test=test, body=inner, orelse=after) if (
                is_true := decided(test, None)
            ) is not None:
                yield from _imports(inner if is_true else after, package)
            case ast.With(body=inner) | ast.ClassDef(body=inner):
                yield from _imports(inner, package)
            case _:
                pass


def _goes_on_raising(handler: ast.ExceptHandler) -> bool:
    """Whether a missing module still ends the import."""
    caught = {node.id for node in ast.walk(handler.type or ast.Name("Exception"))
              if isinstance(node, ast.Name)}  # fmt: skip
    return not caught & _CATCHES_IMPORT or isinstance(handler.body[-1], ast.Raise)


def _resolve(files: FileSystem, roots: Iterable[str], name: str) -> Iterator[Node]:
    """Find a module and the packages that it is in."""
    parts = name.split(".")
    for root in roots:
        folder = root
        for part in parts:
            found = _module(files, folder, part)
            if found is None:
                break
            yield found
            folder = posixpath.join(folder, part)


def _module(files: FileSystem, folder: str, name: str) -> Node | None:
    parent = files.find(folder)
    if parent is None or not name:
        return None
    init = files.find(posixpath.join(folder, name, "__init__.py"))
    if init:
        return init
    # Only these two names fit any platform: with another, a module of text comes first.
    plain = parent.children.get(f"{name}.abi3.so") or parent.children.get(f"{name}.so")
    found = plain or parent.children.get(f"{name}.py") or _tagged(parent, name)
    if found:
        return found
    package = parent.children.get(name)
    return package if package and package.kind is FileKind.DIRECTORY else None


def _tagged(folder: Node, name: str) -> Node | None:
    for child, node in folder.children.items():
        if child.startswith(f"{name}.") and _NATIVE.fullmatch(child, len(name)):
            return node
    return None


def _root(files: FileSystem, path: str) -> str:
    """Return the folder from which a module's top-level package is imported."""
    folder = posixpath.dirname(path)
    while folder != "/" and files.find(posixpath.join(folder, "__init__.py")):
        folder = posixpath.dirname(folder)
    return folder


def _roots_of(paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        for place in ("/site-packages/", "/dist-packages/", "/opt/python/"):
            if place in path:
                yield path[: path.rindex(place) + len(place) - 1]


def _name(files: FileSystem, path: str) -> str:
    relative = path.removeprefix(_root(files, path)).strip("/").removesuffix(".py")
    return relative.removesuffix("/__init__").replace("/", ".")
