"""What AWS's runtime client itself imports, before it looks at the handler.

``python -m awslambdaric`` looks for modules in the working directory first, so that a file there
with the name of a module that the client needs takes that module's place.
"""

import ast
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import Kind
from imagecheck.rule import EXIT_ERROR
from imagecheck.start.judged import Judged, judged
from imagecheck.start.python.code import names_of, parse_tree
from imagecheck.start.python.conditions import decided
from imagecheck.start.python.graph import Graph
from imagecheck.start.python.modules import Miss, Module, Modules
from imagecheck.start.python.standard_library import is_standard

if TYPE_CHECKING:
    from imagecheck.subject import Subject

CLIENT: Final = "awslambdaric"
_NATIVE: Final = "runtime_client"
_OTHERS: Final = frozenset({"simplejson", "snapshot_restore_py", "runtime_client"})
_SITE: Final = frozenset(
    """__main__ _abc _codecs _collections_abc _frozen_importlib _frozen_importlib_external _imp _io
    _signal _sitebuiltins _stat _thread _warnings _weakref abc builtins codecs encodings genericpath
    io marshal os posix posixpath site stat sys time zipimport""".split()  # noqa: SIM905
)
"""What every CPython from 3.8 on has imported before it looks at its first folder."""
_FROZEN: Final = frozenset({"runpy"})
"""What is built in frozen, from 3.11 on, and so comes before any folder."""
_FROZEN_SINCE: Final = 11
_KNOWN: Final = frozenset(
    """__future__ _weakrefset atexit collections contextlib copyreg decimal enum functools importlib
    itertools json keyword linecache logging math numbers operator re reprlib simplejson string
    threading traceback types warnings weakref awslambdaric runpy""".split()  # noqa: SIM905
)
"""What the client 4.2.2 has imported under each Python from 3.8 to 3.13."""
_FATAL: Final = frozenset(
    """collections contextlib copyreg decimal enum functools importlib json keyword logging numbers
    operator re reprlib runtime_client simplejson string threading types weakref
    """.split()  # noqa: SIM905
)
"""What it cannot do without: measured, by hiding each."""
_IMPLICIT: Final = {"_decimal": (("numbers", "Number"), ("collections", "namedtuple"))}
"""What native modules import, and the first thing that they ask of it."""
_FOLDERS_READ = ("collections", "importlib", "json", "logging", "re", "encodings", "concurrent")
_CATCH_ALL = {"Exception", "BaseException", "AttributeError"}
_Guard = Literal["", "import", "any"]


class _Use(NamedTuple):
    """A module that is imported, and what is asked of it while that goes on."""

    name: str
    line: int
    wanted: frozenset[str]
    needs_parents: bool = True
    """Whether it fails when what a dotted name begins with has no such module."""

    def of_part(self, part: str) -> "_Use":
        """Return the use of a package that a dotted name makes: it needs that module of it."""
        return self._replace(wanted=frozenset({part} if self.needs_parents else ()))


def hides_of_client(subject: "Subject", modules: Modules) -> Iterator[Judged]:
    """Report files that take the place of what the client needs. Raises CannotLookError."""
    hiding = _hiding(modules)
    if not hiding or isinstance(modules.find(CLIENT), Miss):
        return
    walk = _Walk(subject, modules, hiding)
    if walk.is_known:
        runner = ["importlib.machinery", "importlib.util"] if _is_frozen(modules) else ["runpy"]
        walk.run([*runner, CLIENT, f"{CLIENT}.__main__"])
        for name, by, wanted in walk.failed:
            yield _problem(hiding[name], f"{by} imports {name} and needs its {wanted}")
        return
    for name in sorted(hiding.keys() & _FATAL):
        yield _problem(
            hiding[name], f"the runtime client imports {name}, and gets this in its place"
        )


def native_half(subject: "Subject", modules: Modules) -> Iterator[Judged | Node]:
    """Judge what talks to the Runtime API: the client takes its absence for no error at first.

    Raises CannotLookError.
    """
    found = modules.find(_NATIVE)
    if isinstance(found, Module):
        yield from [found.node] if found.node else []
        return
    asking = modules.find(f"{CLIENT}.lambda_runtime_client")
    if found.certainty != "certain" or isinstance(asking, Miss) or asking.node is None:
        return
    if f"{_NATIVE}.next(".encode() in subject.contents([asking.node]).get(asking.node.path, b""):
        interpreter = modules.path.interpreter
        why = found.why or f"there is none in {modules.path.where}"
        yield judged(
            "D4",
            f"{interpreter.name} finds no {_NATIVE}, by which {CLIENT} asks for events: {why};"
            " exit status 1",
            f"install {CLIENT} with the Python that is started: {interpreter.program} -m pip"
            f" install {CLIENT}",
            severity="error",
            error_type=EXIT_ERROR,
        )


def lacks_of_client(subject: "Subject", modules: Modules) -> Iterator[Judged]:
    """Report what the client itself imports and does not find, as after ``pip --no-deps``.

    Raises CannotLookError.
    """
    graph = Graph(subject, modules)
    graph.start(f"{CLIENT}.__main__")
    for lost in graph.lost:
        is_certain = lost.miss and lost.miss.certainty == "certain" and not lost.miss.parent
        if lost.by and lost.miss and is_certain and graph.imports(lost.by, lost.what):
            program = modules.path.interpreter.program
            yield judged(
                "D4",
                f"{lost.by.module.path} imports {lost.miss.name!r}, and there is none in"
                f" {modules.path.where}; exit status 1",
                f"install {CLIENT} with what it needs: {program} -m pip install {CLIENT}",
                severity="error",
                error_type=EXIT_ERROR,
            )
            return


def client_missing(modules: Modules, miss: Miss) -> Judged:
    """Report that the Python that is started has no runtime client."""
    interpreter = modules.path.interpreter
    why = miss.why or modules.elsewhere(CLIENT) or f"there is none in {modules.path.where}"
    return judged(
        "D4",
        f"{interpreter.name} finds no {CLIENT}: {why}; exit status 1",
        f"install {CLIENT} for {interpreter.program}: {interpreter.program} -m pip install"
        f" {CLIENT}",
        severity="error",
        error_type=EXIT_ERROR,
    )


def is_loaded_before(subject: "Subject", modules: Modules, top: str, *, on_aws_base: bool) -> bool:
    """Whether a module of this name is loaded before the handler's is looked for."""
    if not is_standard(top, modules.minor) and top not in _OTHERS:
        return False
    if top in _SITE or (_is_frozen(modules) and top in _FROZEN):
        return True
    if not on_aws_base:
        # The function's own folder comes first there, so that the client has got what is in it.
        return False
    walk = _Walk(subject, modules, {})
    if not walk.is_known:
        return top in _KNOWN
    walk.run(["json", "logging", "site", "traceback", "warnings", CLIENT, f"{CLIENT}.__main__"])
    return top in walk.loaded


def _problem(path: str, why: str) -> Judged:
    return judged(
        "D7",
        f"{path} hides a module of the same name: {why}, so it ends with exit status 1 before it"
        " asks for an event",
        f"give {path} another name",
    )


def _is_frozen(modules: Modules) -> bool:
    return (modules.minor or 0) >= _FROZEN_SINCE


def _hiding(modules: Modules) -> dict[str, str]:
    """Find the function's own modules that have the name of another's, and their paths."""
    found: dict[str, str] = {}
    client = modules.find(CLIENT)
    home = (
        posixpath.dirname(client.folders[0])
        if isinstance(client, Module) and client.folders
        else ""
    )
    for name in modules.own_names():
        is_theirs = is_standard(name, modules.minor) or name in _OTHERS
        if not is_theirs or name in _SITE or (_is_frozen(modules) and name in _FROZEN):
            continue
        module = modules.find(name)
        if isinstance(module, Module) and not module.is_standard and not module.is_namespace:
            folder = posixpath.dirname(module.path.removesuffix("/__init__.py"))
            # What lies beside the client was installed with it.
            is_theirs = name in _OTHERS and folder == home
            if folder in modules.path.own and not is_theirs:
                found[name] = module.path
    return found


class _Walk:
    """Goes through what the client imports, in the order in which Python does."""

    def __init__(self, subject: "Subject", modules: Modules, hiding: Mapping[str, str]) -> None:
        self._subject = subject
        self._modules = modules
        self._hiding = hiding
        self.loaded = set(_SITE)
        self.failed: list[tuple[str, str, str]] = []
        """What is hidden, who imports it, and what it needs of it."""
        self._texts = self._read()
        client = modules.find(f"{CLIENT}.bootstrap")
        has_client = isinstance(client, Module) and bool(self._texts.get(client.path))
        self.is_known = has_client and modules.has_whole_library

    def run(self, names: Iterable[str]) -> None:
        """Import these."""
        for name in names:
            self._import(_Use(name, 0, frozenset()), "python -m", 0)

    def _read(self) -> dict[str, bytes]:
        """Read the client and the part of the standard library that it can come to."""
        assert self._subject.files  # noqa: S101  (nothing is started without files)
        library = self._modules.path.interpreter.library
        folders = [library, *(posixpath.join(library, name) for name in _FOLDERS_READ)]
        for name in (CLIENT, "simplejson", "snapshot_restore_py"):
            module = self._modules.find(name)
            if isinstance(module, Module) and module.folders:
                folders += module.folders
        nodes: list[Node] = []
        for folder in folders:
            node = self._subject.files.find(folder)
            nodes += [
                child
                for name, child in (node.children.items() if node else ())
                if name.endswith(".py") and child.kind is Kind.FILE and child.is_readable()
            ]
        nodes += [
            node for path in self._hiding.values() if (node := self._subject.files.find(path))
        ]
        read = self._subject.contents(nodes)
        return {path: read[node.path] for node in nodes for path in (node.path,) if path in read}

    def _import(self, use: _Use, by: str, depth: int) -> None:
        self._subject.budget.spend(10)
        parts = use.name.split(".")
        for number in range(1, len(parts) + 1):
            name = ".".join(parts[:number])
            is_last = number == len(parts)
            if name in self._hiding:
                self._meet(name, use if is_last else use.of_part(parts[number]), by)
                if not is_last:
                    return
            if name in self.loaded or depth > 100:  # noqa: PLR2004  (deeper than any real one)
                continue
            self.loaded.add(name)
            found = self._modules.find(name)
            if isinstance(found, Module) and name not in self._hiding:
                self._run(found, depth)

    def _meet(self, name: str, use: _Use, by: str) -> None:
        """Look whether what is hidden is missed."""
        module = self._modules.find(name)
        assert isinstance(module, Module)  # noqa: S101  (that is how it was found)
        tree = self._parse(module)
        if tree is None or module.node is None:
            return
        names, is_open = names_of(tree, self._texts[module.node.path])
        if is_open:
            return
        for wanted in sorted(use.wanted):
            if wanted not in names and not self._has(name, wanted):
                if name not in {one[0] for one in self.failed}:
                    self.failed.append((name, by, wanted))
                return

    def _has(self, name: str, wanted: str) -> bool:
        found = self._modules.find(f"{name}.{wanted}")
        return isinstance(found, Module)

    def _run(self, module: Module, depth: int) -> None:
        for implicit, wanted in _IMPLICIT.get(module.name, ()):
            self._import(_Use(implicit, 0, frozenset({wanted})), module.path, depth + 1)
        tree = self._parse(module)
        if tree is None:
            return
        package = module.name if module.is_package else module.name.rpartition(".")[0]
        for use in _uses(tree, package, self._modules.minor):
            self._import(use, module.path, depth + 1)

    def _parse(self, module: Module) -> ast.Module | None:
        if module.node is None or not module.is_text:
            return None
        text = self._texts.get(module.node.path)
        if text is None:
            return None
        try:
            tree = parse_tree(module, text, self._modules.minor)
        except SyntaxError:
            return None
        return tree if isinstance(tree, ast.Module) else None


def _uses(tree: ast.Module, package: str, minor: int | None) -> Iterator[_Use]:
    """Yield what is imported while a module is, in order, and what is asked of it then."""
    asked = _asked(tree)
    for statement, guard in _statements(tree.body, minor):
        match statement:
            case ast.Import(names=names):
                for alias in names:
                    called = alias.asname or alias.name.partition(".")[0]
                    is_plain = alias.asname or "." not in alias.name
                    is_asked = is_plain and guard != "any"
                    wanted = frozenset(asked.get(called, ()) if is_asked else ())
                    yield _Use(alias.name, statement.lineno, wanted, needs_parents=not guard)
            case ast.ImportFrom(module=module, level=level, names=names):
                base = module or ""
                if level:
                    kept = package.split(".")[: len(package.split(".")) - level + 1]
                    base = ".".join([*kept, *([base] if base else [])])
                wanted = frozenset(alias.name for alias in names) - {"*"}
                needs = frozenset() if guard else wanted
                yield _Use(base, statement.lineno, needs, needs_parents=not guard)
                for alias in names:
                    # The name may be that of a module; whether it is missed, is said above.
                    name = f"{base}.{alias.name}"
                    yield _Use(name, statement.lineno, frozenset(), needs_parents=False)


def _caught(handlers: Iterable[ast.ExceptHandler]) -> _Guard:
    """Say which failures of an import are caught: none, that of the import, or any."""
    guard: _Guard = ""
    for handler in handlers:
        if handler.type is None:
            return "any"
        names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
        if names & _CATCH_ALL:
            return "any"
        guard = "import"
    return guard


def _statements(
    body: Iterable[ast.stmt], minor: int | None, guard: _Guard = ""
) -> Iterator[tuple[ast.stmt, _Guard]]:
    """Yield the statements that run, and what is caught of what they raise."""
    for statement in body:
        match statement:
            case ast.If(test=test, body=inner, orelse=otherwise):
                holds = decided(test, minor)
                if holds is not None:
                    yield from _statements(inner if holds else otherwise, minor, guard)
            case ast.Try(body=inner, handlers=handlers, finalbody=last):
                own = _caught(handlers)
                yield from _statements(inner, minor, own if guard != "any" and own else guard)
                yield from _statements(last, minor, guard)
            case ast.ClassDef(body=inner) | ast.With(body=inner):
                yield from _statements(inner, minor, guard)
            case _:
                yield statement, guard


def _asked(tree: ast.Module) -> dict[str, set[str]]:
    """Find the attributes of names that are asked for while the module is imported."""
    asked: dict[str, set[str]] = {}
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                asked.setdefault(name, set()).add(attribute)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                waiting += [*node.decorator_list, *node.args.defaults]
                waiting += [one for one in node.args.kw_defaults if one]
                continue
            case ast.Lambda():
                continue
            case ast.If() | ast.Try():
                # Not for certain: only the body of a try is run, and that is guarded.
                waiting += node.body if isinstance(node, ast.Try) else []
                continue
        waiting.extend(ast.iter_child_nodes(node))
    return asked
