"""A walk through what AWS's runtime client imports, in the order in which Python does."""

import ast
import posixpath
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from imagecheck.image.layer import FileKind
from imagecheck.start.python.bound_names import names_of
from imagecheck.start.python.code import parse_tree
from imagecheck.start.python.module_uses import ModuleUse, module_uses
from imagecheck.start.python.modules import Module, PythonModules

if TYPE_CHECKING:
    from imagecheck.image.filesystem import Node
    from imagecheck.subject import Subject

CLIENT: Final = "awslambdaric"
IMPORTED_AT_START: Final = frozenset(
    """__main__ _abc _codecs _collections_abc _frozen_importlib _frozen_importlib_external _imp _io
    _signal _sitebuiltins _stat _thread _warnings _weakref abc builtins codecs encodings genericpath
    io marshal os posix posixpath site stat sys time zipimport""".split()  # noqa: SIM905
)
"""What every CPython from 3.8 on has imported before it looks at its first folder."""
_IMPLICIT: Final = {"_decimal": (("numbers", "Number"), ("collections", "namedtuple"))}
"""What native modules import, and the first thing that they ask of it."""
_FOLDERS_READ = ("collections", "importlib", "json", "logging", "re", "encodings", "concurrent")


class ClientWalk:
    """Goes through what the client imports, in the order in which Python does."""

    def __init__(
        self, subject: "Subject", modules: PythonModules, hiding: Mapping[str, str]
    ) -> None:
        self._subject = subject
        self._modules = modules
        self._hiding = hiding
        self.loaded = set(IMPORTED_AT_START)
        self.failed: list[tuple[str, str, str]] = []
        """What is hidden, who imports it, and what it needs of it."""
        self._texts = self._read()
        client = modules.find(f"{CLIENT}.bootstrap")
        has_client = isinstance(client, Module) and bool(self._texts.get(client.path))
        self.is_known = has_client and modules.has_whole_library

    def run(self, names: Iterable[str]) -> None:
        """Import these."""
        for name in names:
            self._import(ModuleUse(name, 0, frozenset()), "python -m", 0)

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
                if name.endswith(".py") and child.kind is FileKind.FILE and child.is_readable()
            ]
        nodes += [
            node for path in self._hiding.values() if (node := self._subject.files.find(path))
        ]
        read = self._subject.contents(nodes)
        return {path: read[node.path] for node in nodes for path in (node.path,) if path in read}

    def _import(self, use: ModuleUse, by: str, depth: int) -> None:
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

    def _meet(self, name: str, use: ModuleUse, by: str) -> None:
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
            self._import(ModuleUse(implicit, 0, frozenset({wanted})), module.path, depth + 1)
        tree = self._parse(module)
        if tree is None:
            return
        package = module.name if module.is_package else module.name.rpartition(".")[0]
        for use in module_uses(tree, package, self._modules.minor):
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
