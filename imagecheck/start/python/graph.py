"""The modules that Python loads when it imports one of an image, and those that it misses."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.start.python.code import Code, UnparsedCode, certain_imports, parse
from imagecheck.start.python.import_statements import Import
from imagecheck.start.python.loaded import Loaded, Lost
from imagecheck.start.python.module_texts import ModuleTexts
from imagecheck.start.python.modules import Miss, Module, PythonModules
from imagecheck.start.python.own_modules import OwnModules
from imagecheck.start.python.path_changes import ProcessContext
from imagecheck.start.python.scan import MACHINERY, scan
from imagecheck.start.python.standard_library import COMPILED_HALF
from imagecheck.start.python.standard_names import why_not

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_MAX_MODULES: Final = 4000
_MAX_DEPTH = 100
_OF_EVERY_MODULE: Final = frozenset({
    "__builtins__", "__cached__", "__dict__", "__doc__", "__file__", "__loader__", "__name__",
    "__package__", "__path__", "__spec__",
})  # fmt: skip
"""https://docs.python.org/3/reference/datamodel.html#modules"""
_OPEN = re.compile(
    rb"__getattr__|import[ \t]*\(?[ \t]*\*|(?:globals|vars|locals)\(\)|exec\(|setattr\("
    rb"|sys\.modules|__dict__"
)
"""Code that may bind names that cannot be read from a text."""


class Graph:
    """Follows the imports from what is started."""

    def __init__(self, subject: "Subject", modules: PythonModules, own_top: str = "") -> None:
        assert subject.files  # noqa: S101  (nothing is started without files)
        self.modules = modules
        self.loaded: dict[str, Loaded] = {}
        self.lost: list[Lost] = []
        self.is_cut_off = False
        """Whether there is more than is looked at."""
        self.may_be_changed = False
        """Whether something that may be imported changes what imports find, as nobody knows."""
        self._subject = subject
        interpreter = modules.path.interpreter
        self._places = ProcessContext(interpreter.workdir, interpreter.environment)
        self._own = OwnModules(subject.files, modules, own_top)
        self._texts = ModuleTexts(subject, modules)
        self._waiting: list[Loaded] = []
        self._wanted: list[tuple[Loaded | None, Import]] = []
        self._depth = 0
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

    def code(self, loaded: Loaded) -> Code | UnparsedCode | SyntaxError | None:
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
        yield from self._texts.waiting_of(top)

    def _walk(self) -> None:
        while self._waiting or self._wanted:
            if len(self.loaded) > _MAX_MODULES or self._texts.is_used_up:
                self.is_cut_off = True
                return
            batch, self._waiting = self._waiting, []
            self._texts.read(batch)
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
            loaded = Loaded(module, self._own.has(module))
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
                if node and node.is_readable() and self._own.has(found):
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
