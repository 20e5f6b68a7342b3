"""What Python loads when it imports a module of an image, and what it misses then."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import Kind
from imagecheck.start.python.code import Code, Import, Unreadable, certain_imports, parse
from imagecheck.start.python.modules import Miss, Module, Modules
from imagecheck.start.python.path_changes import Places
from imagecheck.start.python.scan import MACHINERY, scan
from imagecheck.start.python.standard_library import COMPILED_HALF
from imagecheck.start.python.standard_names import why_not

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_MAX_MODULES: Final = 4000
_MAX_DEPTH = 100
_MAX_TEXT_BYTES: Final = 64 * 1024**2
_MAX_PACKAGE_BYTES: Final = 8 * 1024**2
_MAX_READ_AHEAD: Final = 32 * 1024**2
_OF_EVERY_MODULE: Final = frozenset({
    "__builtins__", "__cached__", "__dict__", "__doc__", "__file__", "__loader__", "__name__",
    "__package__", "__path__", "__spec__",
})  # fmt: skip
"""https://docs.python.org/3/reference/datamodel.html#modules"""
_INSTALLED = ("/site-packages/", "/dist-packages/")
_OPEN = re.compile(
    rb"__getattr__|import[ \t]*\(?[ \t]*\*|(?:globals|vars|locals)\(\)|exec\(|setattr\("
    rb"|sys\.modules|__dict__"
)
"""Code that may bind names that cannot be read from a text."""
_AWS = ("/opt/python/", "/var/runtime/", "/var/lang/")


@dataclass(eq=False)
class Loaded:
    """A module that is loaded."""

    module: Module
    is_own: bool
    """Whether it is of the function, and not of a package that is installed."""
    importers: list[tuple["Loaded | None", Import]] = field(default_factory=list)
    """Who imports it, and by which import; None stands for what is started."""
    text: bytes | None = None
    code: Code | Unreadable | SyntaxError | None = None
    imports: tuple[Import, ...] = ()
    certain_imports: frozenset[tuple[str, str]] | None = None
    """What its text imports for certain, once that was asked for."""
    is_certain: bool | None = None
    """Whether it is loaded for certain; None while that is not yet known."""


@dataclass(frozen=True)
class Lost:
    """An import that finds nothing."""

    by: Loaded | None
    what: Import
    miss: Miss | None
    """None where the module is there, and the name is not in it."""
    why: str = ""


class Graph:
    """Follows the imports from what is started."""

    def __init__(self, subject: "Subject", modules: Modules, own_top: str = "") -> None:
        assert subject.files  # noqa: S101  (nothing is started without files)
        self.modules = modules
        self.loaded: dict[str, Loaded] = {}
        self.lost: list[Lost] = []
        self.is_cut_off = False
        """Whether there is more than is looked at."""
        self.may_be_changed = False
        """Whether something that may be imported changes what imports find, as nobody knows."""
        self._subject = subject
        self._files = subject.files
        self._own_top = own_top
        interpreter = modules.path.interpreter
        self._places = Places(interpreter.workdir, interpreter.environment)
        self._texts: dict[str, bytes] = {}
        self._bytes_left = _MAX_TEXT_BYTES
        self._ahead_left = _MAX_READ_AHEAD
        self._read_ahead: set[str] = set()
        self._waiting: list[Loaded] = []
        self._wanted: list[tuple[Loaded | None, Import]] = []
        self._depth = 0
        self._with_packages: dict[str, bool] = {}
        self._possible: dict[str, Module] = {}
        self._fallen_back: list[tuple[Loaded, Import]] = []

    def start(self, name: str, wanted: str = "") -> Module | Miss:
        """Import a module by its name, and all that this imports for certain."""
        self._import(None, Import(name, 0))
        if wanted:
            self._wanted.append((None, Import(name, 0, wanted)))
        self._walk()
        return self.modules.find(name)

    def start_file(self, module: Module) -> Loaded:
        """Run a file as a program, and all that this imports for certain."""
        loaded = self._load(module, None, Import(module.name, 0))
        self._walk()
        return loaded

    def certain(self, loaded: Loaded) -> bool:
        """Whether a module is loaded for certain; parsers have the last word."""
        if loaded.is_certain is None:
            loaded.is_certain = False  # while it is found out: a circle proves nothing
            self._depth += 1
            if self._depth < _MAX_DEPTH:
                loaded.is_certain = any(self.imports(by, what) for by, what in loaded.importers)
            self._depth -= 1
        return loaded.is_certain

    def imports(self, by: Loaded | None, what: Import) -> bool:
        """Whether a module is loaded for certain, and imports that for certain."""
        if by is None:
            return True
        if not self.certain(by):
            return False
        if by.is_own:
            return True
        if by.certain_imports is None:
            text = by.text or b""
            self._subject.budget.spend(len(text) // 4)
            by.certain_imports = certain_imports(by.module, text, self.modules.minor)
        return (what.name, what.wanted) in by.certain_imports

    def code(self, loaded: Loaded) -> Code | Unreadable | SyntaxError | None:
        """Parse a module, once; None where it has no text."""
        if loaded.code is None and loaded.text is not None:
            self._subject.budget.spend(len(loaded.text) // 2)
            try:
                loaded.code = parse(loaded.module, loaded.text, self.modules.minor, self._places)
            except SyntaxError as wrong:
                loaded.code = wrong
        return loaded.code

    def texts_of(self, top: str) -> Iterator[bytes]:
        """Yield the texts that were read of a top-level package."""
        for name, loaded in self.loaded.items():
            if (name == top or name.startswith(f"{top}.")) and loaded.text is not None:
                yield loaded.text
        for path, text in self._texts.items():
            if f"/{top}/" in path:
                yield text

    def _walk(self) -> None:
        while self._waiting or self._wanted:
            if len(self.loaded) > _MAX_MODULES or self._bytes_left < 0:
                self.is_cut_off = True
                return
            batch, self._waiting = self._waiting, []
            self._read(batch)
            for loaded in batch:
                self._look_into(loaded)
            unread = {loaded.module.name for loaded in self._waiting}
            wanted, self._wanted = self._wanted, []
            for by, what in wanted:
                if what.name in unread:
                    self._wanted.append((by, what))
                else:
                    self._want(by, what)
            if not self._waiting and not self._wanted:
                self._follow_possible()
                self._fall_back()
                self._try_again()

    def _follow_possible(self) -> None:
        """Let the function's modules that may be imported change what imports find."""
        new = [module for name, module in self._possible.items() if name not in self.loaded]
        self._possible.clear()
        texts = self._subject.contents([module.node for module in new if module.node])
        for module in new:
            text = texts.get(module.node.path, b"") if module.node else b""
            if not MACHINERY.search(text):
                continue
            try:
                code = parse(module, text, self.modules.minor, self._places)
            except SyntaxError:
                continue
            if isinstance(code, Code):
                self.modules.extend(code.adds, code.sites)
                self.may_be_changed |= code.changes_imports

    def _fall_back(self) -> None:
        """Import what a module imports in place of what is missing."""
        for loaded in list(self.loaded.values()):
            code = loaded.code if loaded.is_own else None
            waiting = list(code.fallbacks) if isinstance(code, Code) else []
            while waiting:
                tried, instead, inner = waiting.pop()
                found = (self.modules.find(what.name) for what in tried)
                if any(isinstance(one, Miss) and one.certainty == "certain" for one in found):
                    new = [one for one in instead if (loaded, one) not in self._fallen_back]
                    self._fallen_back += [(loaded, one) for one in new]
                    for what in new:
                        self._follow(loaded, what)
                    waiting += inner

    def _follow(self, loaded: Loaded, what: Import) -> None:
        if what.wanted:
            self._wanted.append((loaded, what))
        else:
            self._import(loaded, what)

    def _try_again(self) -> None:
        """Look once more for what was lost, now that all changes of the path are known."""
        lost, self.lost = self.lost, []
        for one in lost:
            if one.miss and isinstance(self.modules.find(one.miss.name), Module):
                self._import(one.by, one.what)
            else:
                self.lost.append(one)

    def _import(self, by: Loaded | None, what: Import) -> None:
        parts = what.name.split(".")
        if what.name.startswith("."):
            self.lost.append(Lost(by, what, Miss(what.name, None, why="there is no such parent")))
            return
        for number in range(1, len(parts) + 1):
            name = ".".join(parts[:number])
            found = self.modules.find(name)
            if isinstance(found, Miss):
                self.lost.append(Lost(by, what, found))
                return
            if found.is_standard:
                self._half(by, what, name)
            else:
                self._load(found, by, what)

    def _half(self, by: Loaded | None, what: Import, name: str) -> None:
        half = COMPILED_HALF.get(name)
        missing = self.modules.find(half) if half else None
        if isinstance(missing, Miss):
            self.lost.append(Lost(by, what, missing))
        elif missing and missing.node:
            # It is a file, which may need libraries.
            self._load(missing, by, what)

    def _load(self, module: Module, by: Loaded | None, what: Import) -> Loaded:
        loaded = self.loaded.get(module.name)
        if loaded is None:
            loaded = Loaded(module, self._is_own(module))
            self.loaded[module.name] = loaded
            self._waiting.append(loaded)
        loaded.importers.append((by, what))
        if by is None or (by.is_own and by.is_certain):
            loaded.is_certain = True
        return loaded

    def _look_into(self, loaded: Loaded) -> None:
        if loaded.text is None:
            return
        self._subject.budget.spend(len(loaded.text) // 20)
        if loaded.is_own:
            code = self.code(loaded)
            loaded.imports = code.imports if isinstance(code, Code) else ()
            if isinstance(code, Code):
                self.modules.extend(code.adds, code.sites)
                self._note_possible(code)
        else:
            loaded.imports = tuple(scan(loaded.module, loaded.text))
        for what in loaded.imports:
            self._follow(loaded, what)

    def _note_possible(self, code: Code) -> None:
        for name in code.possible:
            found = self.modules.find(name)
            if isinstance(found, Module) and found.is_text and not found.is_standard:
                node = found.node
                if node and node.is_readable() and self._is_own(found):
                    self._possible[name] = found

    def _want(self, by: Loaded | None, what: Import) -> None:
        """Judge the second half of ``from package import name``."""
        base = self.modules.find(what.name)
        if isinstance(base, Miss) or what.wanted == "*":
            return
        if base.is_standard:
            why = why_not(what.name, what.wanted, self.modules.minor)
            found = self.modules.find(f"{what.name}.{what.wanted}") if base.is_package else None
            if why and not (isinstance(found, Module) and found.node):
                self.lost.append(Lost(by, what, None, why))
            elif isinstance(found, Module):
                self._half(by, what, found.name)
            return
        loaded = self.loaded.get(what.name)
        if loaded is None or self.may_bind(loaded, what.wanted):
            return
        name = f"{what.name}.{what.wanted}"
        found = self.modules.find(name) if base.is_package else None
        if isinstance(found, Module):
            self._load(found, by, what)
        elif base.is_namespace or base.is_text:
            self.lost.append(Lost(by, what, None, found.why if found else ""))

    def may_bind(self, loaded: Loaded, name: str) -> bool:
        """Whether a module may have a name, as far as its text tells."""
        if name in _OF_EVERY_MODULE:
            return True
        if loaded.module.is_namespace:
            return False
        if loaded.text is None:
            return True
        if loaded.is_own:
            code = self.code(loaded)
            if not isinstance(code, Code) or name in code.names or not code.is_open:
                return not isinstance(code, Code) or name in code.names
            return not code.has_only_stars or any(
                self._star_binds(what.name, name) for what in code.imports if what.wanted == "*"
            )
        return re.search(rf"\b{re.escape(name)}\b".encode(), loaded.text) is not None or (
            _OPEN.search(loaded.text) is not None
        )

    def _star_binds(self, module: str, name: str) -> bool:
        """Whether ``from module import *`` may bind a name."""
        loaded = self.loaded.get(module)
        code = self.code(loaded) if loaded and loaded.is_own else None
        self._depth += 1
        try:
            if loaded is None or not isinstance(code, Code) or self._depth >= _MAX_DEPTH:
                return True
            if "__all__" in code.names:
                return code.all_names is None or name in code.all_names
            return not name.startswith("_") and self.may_bind(loaded, name)
        finally:
            self._depth -= 1

    def _read(self, batch: Iterable[Loaded]) -> None:
        nodes: dict[str, Node] = {}
        for loaded in batch:
            node = loaded.module.node
            if not loaded.module.is_text or node is None or not node.is_readable():
                continue
            if node.path not in self._texts:
                nodes[node.path] = node
                self._bytes_left -= node.entry.size
                for more in self._with(loaded):
                    nodes[more.path] = more
        if nodes:
            self._texts |= self._subject.contents(nodes.values())
        for loaded in batch:
            node = loaded.module.node
            if loaded.module.is_text and node and node.is_readable():
                loaded.text = self._texts.pop(node.path, None)

    def _with(self, loaded: Loaded) -> Iterator[Node]:
        """Yield what lies in the same package: each reading goes through a whole layer."""
        top = loaded.module.name.partition(".")[0]
        found = self.modules.find(top)
        if top in self._read_ahead or isinstance(found, Miss):
            return
        self._read_ahead.add(top)
        if found.folders:
            nodes = [node for folder in found.folders for node in self._texts_below(folder)]
        else:
            folder = self._files.find(posixpath.dirname(found.path))
            beside = folder.children.values() if folder and loaded.is_own else ()
            nodes = [node for node in beside if _is_text(node)]
            self._read_ahead |= {posixpath.basename(node.path)[:-3] for node in nodes}
        size = sum(node.entry.size for node in nodes)
        if size <= min(_MAX_PACKAGE_BYTES, self._ahead_left):
            self._ahead_left -= size
            yield from nodes

    def _texts_below(self, folder: str) -> Iterator[Node]:
        for node in self._files.below(folder):
            self._subject.budget.spend()
            if _is_text(node) and "/tests/" not in node.path:
                yield node

    def _is_own(self, module: Module) -> bool:
        if any(mark in module.path for mark in _INSTALLED) or module.path.startswith(_AWS):
            return False
        top = module.name.partition(".")[0]
        if top == self._own_top or (not module.is_package and "." not in module.name):
            return True
        root = self.modules.find(top)
        folder = (
            posixpath.dirname(root.folders[0]) if isinstance(root, Module) and root.folders else ""
        )
        return not self._has_packages(folder)

    def _has_packages(self, folder: str) -> bool:
        """Whether packages are installed in a folder, as ``pip install --target`` does."""
        if folder not in self._with_packages:
            node = self._files.find(folder) if folder else None
            self._with_packages[folder] = bool(node) and any(
                name.endswith((".dist-info", ".egg-info"))
                for name in (node.children if node else ())
            )
        return self._with_packages[folder]


def _is_text(node: Node) -> bool:
    return node.kind is Kind.FILE and node.path.endswith(".py") and node.is_readable()


def makes_modules(graph: Graph, name: str) -> bool:
    """Whether the package of a module, or a part of it, makes modules at run time."""
    top = name.partition(".")[0]
    return any(MACHINERY.search(text) for text in graph.texts_of(top))


def changes_imports(graph: Graph, name: str) -> bool:
    """Whether the package of a module changes what imports find outside of it."""
    top = name.partition(".")[0]
    for other, loaded in graph.loaded.items():
        is_part = other == top or other.startswith(f"{top}.")
        if is_part and loaded.text is not None and MACHINERY.search(loaded.text):
            code = graph.code(loaded)
            if not isinstance(code, Code) or code.moves_imports or code.adds:
                return True
    return False
