"""Changes of a module's code to ``sys.path`` and ``sys.modules``.

Paths are computed as far as they are plain: constants, ``__file__``, ``os.path``, ``pathlib``.
"""

import ast
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

BELOW: Final = "."
"""Stands for the module itself: it makes modules in its own name."""

_ADD = {"sys.path.append", "sys.path.insert", "site.addsitedir"}
_PATHS = {"Path", "PurePath", "PosixPath", "PurePosixPath"}
_SAME = {"abspath", "realpath", "normpath", "str", "fspath", "resolve", "absolute", "as_posix"}
_FILLED_LATER = ("/tmp/", "/mnt/")  # noqa: S108
"""Folders in which the function finds what no image has: unpacked at its start, or mounted."""
_OPEN = {
    "sys.meta_path", "sys.path_hooks", "sys.path_importer_cache", "site.addsitedir", "sys.path",
}  # fmt: skip


@dataclass(frozen=True)
class ProcessContext:
    """What code can ask of its surroundings."""

    workdir: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PathChanges:
    """What a module changes for the imports after it."""

    adds: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    """Those of them whose ``.pth`` files are read: ``site.addsitedir``."""
    makes: frozenset[str] = frozenset()
    is_open: bool = False
    """Whether it changes more than is read here."""
    moves: bool = False
    """Whether that may give a module of any name: not if only a function makes modules."""


def path_changes(tree: ast.Module, file: str, places: ProcessContext) -> PathChanges:
    """Find what the code of a file changes, wherever in it that is."""
    names = _Values(file, places, tree)
    adds: list[str] = []
    sites: list[str] = []
    makes: set[str] = set()
    understood: set[int] = set()
    is_open = False
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (call := _dotted(node.func)) in _ADD and node.args:
            value = names.of(node.args[-1])
            if value is not None:
                understood |= {id(part) for part in ast.walk(node.func)}
                adds.append(posixpath.normpath(posixpath.join(places.workdir, value)))
                sites += adds[-1:] if call == "site.addsitedir" else []
                is_open |= f"{adds[-1]}/".startswith(_FILLED_LATER)
            else:
                is_open |= call in _ADD
        understood |= {id(part) for part in _only_read(node)}
        if isinstance(node, ast.ImportFrom) and node.module == "sys":
            is_open |= any(alias.name in {"path", "modules", "meta_path"} for alias in node.names)
    at_once = {id(node) for node in _run_at_once(tree)}
    moves = is_open
    for node in ast.walk(tree):
        made = list(_made(node))
        makes |= {name for name in made if name}
        is_open |= "" in made
        moves |= "" in made and id(node) in at_once
        if isinstance(node, ast.Attribute) and id(node) not in understood:
            is_open |= _dotted(node) in _OPEN
            moves |= _dotted(node) in _OPEN
    return PathChanges(tuple(adds), tuple(sites), frozenset(makes), is_open, moves)


def _run_at_once(tree: ast.Module) -> Iterator[ast.AST]:
    """Go through what runs while a module is imported, whatever is called: not its functions."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _only_read(node: ast.AST) -> list[ast.expr]:
    """Return the parts of an expression that are read, and not changed."""
    match node:
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=read):
            return read
        case ast.For(iter=one) | ast.comprehension(iter=one):
            return [one]
        case ast.Subscript(value=one, ctx=ast.Load()):
            return [one]
        case ast.Call(func=ast.Name(id="enumerate" | "len" | "list" | "set" | "tuple"), args=read):
            return read
    return []


def _made(node: ast.AST) -> Iterator[str]:
    """Yield the names under which modules are put into ``sys.modules``; empty for any."""
    targets: list[ast.expr] = []
    match node:
        case ast.Assign():
            targets = node.targets
        case ast.Call(func=func) if _dotted(func) in {
            "sys.modules.update",
            "sys.modules.setdefault",
        }:
            yield ""
    for target in targets:
        match target:
            case ast.Subscript(value=value, slice=index) if _dotted(value) == "sys.modules":
                yield from _made_as(index)
            case ast.Attribute() if _dotted(target) == "sys.modules":
                yield ""


def _made_as(index: ast.expr) -> Iterator[str]:
    """Yield the name of a module that is made, or that of the package that it is made in."""
    match index:
        case ast.Constant(value=str(name)):
            yield name
        case ast.Name(id="__name__"):
            pass
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]) if "." in start:
            yield start.rpartition(".")[0]
        case ast.BinOp(left=ast.Constant(value=str(start)), op=ast.Add()) if "." in start:
            yield start.rpartition(".")[0]
        case (
            ast.JoinedStr(
                values=[
                    ast.FormattedValue(value=ast.Name(id="__name__")),
                    ast.Constant(value=str(following)),
                    *_,
                ]
            )
            | ast.BinOp(
                left=ast.Name(id="__name__"), op=ast.Add(), right=ast.Constant(value=str(following))
            )
        ) if following.startswith("."):
            yield BELOW
        case _:
            yield ""


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            before = _dotted(value)
            return f"{before}.{name}" if before else ""
    return ""


class _Values:
    """The values of plain expressions that are paths."""

    def __init__(self, file: str, places: ProcessContext, tree: ast.Module) -> None:
        self._file = file
        self._places = places
        self._assigned: dict[str, ast.expr | None] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        # A name with several values has none that is known.
                        known = target.id in self._assigned
                        self._assigned[target.id] = None if known else node.value

    def of(self, node: ast.expr, depth: int = 0) -> str | None:  # noqa: PLR0911  (one a kind)
        """Return the text of a path, or None."""
        if depth > 20:  # noqa: PLR2004  (deeper than anybody writes a path)
            return None
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id="__file__"):
                return self._file
            case ast.Name(id=name):
                assigned = self._assigned.get(name)
                return self.of(assigned, depth + 1) if assigned else None
            case ast.BinOp(left=left, op=ast.Div() | ast.Add() as op, right=right):
                before, after = self.of(left, depth + 1), self.of(right, depth + 1)
                if before is None or after is None:
                    return None
                is_path = isinstance(op, ast.Div)
                return posixpath.join(before, after) if is_path else before + after
            case ast.Attribute(value=value, attr="parent"):
                inner = self.of(value, depth + 1)
                return None if inner is None else posixpath.dirname(inner)
            case ast.Subscript():
                return self._item(node, depth)
            case ast.Call():
                return self._call(node, depth)
            case ast.JoinedStr(values=values):
                parts = [self.of(value, depth + 1) for value in values]
                return None if None in parts else "".join(part for part in parts if part)
            case ast.FormattedValue(value=value, format_spec=None):
                return self.of(value, depth + 1)
        return None

    def _item(self, node: ast.Subscript, depth: int) -> str | None:
        match node:
            case ast.Subscript(
                value=ast.Attribute(value=value, attr="parents"),
                slice=ast.Constant(value=int(above)),
            ):
                path = self.of(value, depth + 1)
                for _ in range(min(above, 100) + 1):
                    path = None if path is None else posixpath.dirname(path)
                return path
            case ast.Subscript(value=value, slice=ast.Constant(value=str(name))):
                is_environment = _dotted(value) == "os.environ"
                return self._places.environment.get(name) if is_environment else None
        return None

    def _call(self, node: ast.Call, depth: int) -> str | None:  # noqa: PLR0911  (one a function)
        name = _dotted(node.func).rpartition(".")[2]
        called = node.func.attr if isinstance(node.func, ast.Attribute) else name
        values = [self.of(argument, depth + 1) for argument in node.args]
        if called in {"getcwd", "cwd"}:
            return self._places.workdir
        if called in {"getenv", "get"} and _dotted(node.func) in {"os.getenv", "os.environ.get"}:
            default = values[1] if len(values) > 1 else None
            return self._places.environment.get(values[0] or "", default)
        if not values and isinstance(node.func, ast.Attribute) and called in _SAME:
            values = [self.of(node.func.value, depth + 1)]
        if called == "joinpath" and isinstance(node.func, ast.Attribute):
            values = [self.of(node.func.value, depth + 1), *values]
        given = [value for value in values if value is not None]
        if not given or len(given) != len(values):
            return None
        if called == "dirname":
            return posixpath.dirname(given[0])
        if called in _SAME:
            return posixpath.normpath(posixpath.join(self._places.workdir, given[0]))
        if called in {"join", "joinpath"} or called in _PATHS:
            return posixpath.join(given[0], *given[1:])
        return None
