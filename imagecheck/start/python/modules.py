"""Python modules of an image: what an import finds.

https://docs.python.org/3/reference/import.html and importlib/_bootstrap_external.py of CPython.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import FileKind
from imagecheck.start.python.image_library import ImageLibrary, native_endings
from imagecheck.start.python.path_files import read_path_files
from imagecheck.start.python.path_zips import read_path_zips
from imagecheck.start.python.search_path import SearchPath
from imagecheck.start.python.standard_library import BUILT_IN, COMPILED, NEEDS_A_LIBRARY

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_MADE_AT_RUN_TIME = frozenset(
    """os.path collections.abc importlib._bootstrap importlib._bootstrap_external typing.io
    typing.re xml.parsers.expat.model xml.parsers.expat.errors""".split()  # noqa: SIM905
)
_NATIVE = re.compile(r"\.(?:cpython-[\w-]+\.|abi3\.)?so")
_MAX_DEPTH = 100


@dataclass(frozen=True)
class Module:
    """What an import finds."""

    name: str
    path: str
    """Its file; the folder of a package without code; empty for one that is built in."""
    node: Node | None = None
    """Its file."""
    is_text: bool = False
    """Whether the file is Python text, and no native or compiled module."""
    folders: tuple[str, ...] | None = None
    """Where its modules are looked for; None when it is not a package."""
    is_standard: bool = False

    @property
    def is_package(self) -> bool:
        """Whether it can have modules."""
        return self.folders is not None

    @property
    def is_namespace(self) -> bool:
        """Whether it is a folder without code of its own."""
        return self.is_package and self.node is None and not self.is_standard


@dataclass(frozen=True)
class Miss:
    """A module that is not found."""

    name: str
    """The first of its parts that is missing, with those before it."""
    parent: Module | None
    """What was found of it."""
    certainty: Literal["certain", "doubtful", "open"] = "certain"
    """Open where modules come from something that is not read here."""
    why: str = ""
    """Why it is missing, where more than its absence is known."""


class PythonModules:
    """Finds modules by their dotted names, and remembers them."""

    def __init__(self, subject: "Subject", path: SearchPath) -> None:
        assert subject.files  # noqa: S101  (nothing is started without files)
        self.path = path
        self._subject = subject
        self._files: FileSystem = subject.files
        self._library = ImageLibrary(self._files, path)
        self._suffixes = native_endings(path, self._library, subject)
        self._found: dict[str, Module | Miss] = {}
        self._entries = path.entries
        self._mapped_to = dict(path.mapped)
        self.unknown = list(path.unknown)
        """Files with code that may change what imports find, in ways that are not read here."""
        self._zips = read_path_zips(subject, path.entries)
        self._site_folders: list[Node] | None = None
        self._nodes: dict[str, Node | None] = {}

    @property
    def minor(self) -> int | None:
        """The ``N`` of the interpreter's Python 3.N."""
        return self.path.interpreter.minor

    @property
    def has_whole_library(self) -> bool:
        """Whether the image has all of the standard library, and not a part that stands for it."""
        return self._library.is_whole

    def is_built_in(self, top: str) -> bool:
        """Whether a module of this name is in the interpreter itself."""
        if top in BUILT_IN:
            return True
        is_chosen = top in COMPILED and top not in NEEDS_A_LIBRARY
        return is_chosen and self._library.has_no_file_of(top)

    def own_names(self) -> Iterator[str]:
        """Yield the names of the modules that lie in the function's own folders."""
        for folder in self.path.own:
            node = self._folder(folder)
            for name in node.children if node else ():
                self._subject.budget.spend()
                yield name.partition(".")[0]

    def find(self, name: str) -> Module | Miss:
        """Return the module of a dotted name, or which part of it is missing."""
        known = self._found.get(name)
        if known is None:
            known = self._found[name] = self._find(name)
        return known

    def extend(self, folders: Iterable[str], sites: Iterable[str] = ()) -> None:
        """Look into more folders, after the others: code has added them.

        ``sites`` are those whose ``.pth`` files are read. Raises ImageReadError.
        """
        new = [folder for folder in folders if folder not in self._entries]
        for site in sites:
            if site in new and (node := self._folder(site)):
                more = read_path_files(self._subject, node)
                new += [folder for folder in more.folders if folder not in self._entries]
                self._mapped_to |= more.mapped
                self.unknown += more.unknown
        if new:
            self._entries = (*self._entries, *new)
            self._zips = read_path_zips(self._subject, self._entries)
            found = self._found.items()
            self._found = {name: one for name, one in found if isinstance(one, Module)}

    def _find(self, name: str) -> Module | Miss:
        self._subject.budget.spend(5)
        parent, _, part = name.rpartition(".")
        if not part or name.count(".") > _MAX_DEPTH:
            return Miss(name, None)
        if not parent:
            return self._top(name)
        found = self.find(parent)
        if isinstance(found, Miss):
            return found
        return self._below(found, name, part)

    def _top(self, name: str) -> Module | Miss:  # noqa: PLR0911  (one a place)
        if name in BUILT_IN:
            return Module(name, "", is_standard=True)
        found = self._in(name, name, self._entries)
        if isinstance(found, Module) and not found.is_namespace:
            return found
        if name in self._mapped_to:
            return self._mapped(name)
        standard = self._library.judge(name)
        if standard == "there":
            return Module(name, "", folders=(), is_standard=True)
        if isinstance(found, Module):
            return found
        if name == "distutils" and self._has_distutils():
            return Module(name, "", folders=(), is_standard=True)
        if self._zips.may_have(name):
            return Miss(name, None, "open", "a zip file is on the path, which is not read here")
        certainty: Literal["certain", "doubtful"] = (
            "doubtful" if standard == "doubtful" else "certain"
        )
        return Miss(name, None, certainty, self._foreign(name, self._entries))

    def _below(self, parent: Module, name: str, part: str) -> Module | Miss:
        if parent.is_standard:
            return self._standard_below(parent, name, part)
        if parent.folders is None:
            # Such a parent can only have modules that it makes itself.
            certainty: Literal["certain", "open"] = "certain" if parent.is_text else "open"
            return Miss(name, parent, certainty, f"{parent.path} is not a package")
        found = self._in(name, part, parent.folders) or self._in_other_portion(name, part)
        if found:
            return found
        if name in self._mapped_to:
            return self._mapped(name)
        return Miss(name, parent, why=self._foreign(part, parent.folders))

    def _in_other_portion(self, name: str, part: str) -> Module | None:
        """Look where else the path has a folder of the parent: pkgutil.extend_path does."""
        relative = posixpath.dirname(name.replace(".", "/"))
        return self._in(name, part, tuple(f"{entry}/{relative}" for entry in self._entries))

    def _standard_below(self, parent: Module, name: str, part: str) -> Module | Miss:
        if name not in _MADE_AT_RUN_TIME:
            found = self._in(name, part, parent.folders or ())
            if found:
                return found
            if self._library.is_whole and (parent.folders or parent.is_text):
                return Miss(name, parent)
        return Module(name, "", folders=(), is_standard=True)

    def _in(self, name: str, part: str, folders: tuple[str, ...]) -> Module | None:
        """Look into each folder as FileFinder does."""
        portions: list[str] = []
        for folder in folders:
            found = self._in_folder(name, part, folder)
            if isinstance(found, Module):
                return found
            if found:
                portions.append(found)
        return Module(name, portions[0], folders=tuple(portions)) if portions else None

    def _in_folder(self, name: str, part: str, folder: str) -> "Module | str | None":
        """Return the module, or the folder of that name that has no code."""
        node = self._folder(folder)
        if node is None:
            return None
        self._subject.budget.spend(2)
        is_standard = self._library.has(folder)
        portion = None
        inner = self._folder(f"{folder}/{part}") if part in node.children else None
        if inner:
            for suffix, is_text in (*self._suffixes, (".py", True), (".pyc", False)):
                if init := self._file(inner, f"__init__{suffix}"):
                    path, folders = f"{folder}/{part}", (f"{folder}/{part}",)
                    return Module(
                        name, f"{path}/__init__{suffix}", init, is_text, folders, is_standard
                    )
            portion = f"{folder}/{part}"
        for suffix, is_text in (*self._suffixes, (".py", True), (".pyc", False)):
            if file := self._file(node, f"{part}{suffix}"):
                return Module(
                    name, f"{folder}/{part}{suffix}", file, is_text, is_standard=is_standard
                )
        return portion

    def _mapped(self, name: str) -> Module | Miss:
        """Find a module that an editable install maps to another place."""
        path = self._mapped_to[name]
        folder, part = posixpath.split(path.removesuffix(".py"))
        found = self._in_folder(name, part, folder)
        if isinstance(found, Module):
            return found
        if found:
            return Module(name, found, folders=(found,))
        return Miss(name, None, why=f"an editable install leads to {path}, which is not there")

    def _folder(self, path: str) -> Node | None:
        """Return a folder that can be listed: others hold nothing for Python."""
        if path not in self._nodes:
            node = self._files.find(path)
            is_usable = (
                node
                and node.kind is FileKind.DIRECTORY
                and node.is_readable()
                and node.is_executable()
            )
            self._nodes[path] = node if is_usable else None
        return self._nodes[path]

    def _file(self, folder: Node, name: str) -> Node | None:
        node = folder.children.get(name)
        if node and node.kind is FileKind.SYMLINK:
            node = self._files.find(posixpath.join(folder.path, name))
        return node if node and node.kind is FileKind.FILE else None

    def _foreign(self, part: str, folders: tuple[str, ...]) -> str:
        """Say that the module is there, but for another Python."""
        for folder in folders:
            node = self._folder(folder)
            for file in node.children if node else ():
                if file.startswith(f"{part}.") and _NATIVE.fullmatch(file, len(part)):
                    return f"{folder}/{file} is for another Python or another system"
        return ""

    def elsewhere(self, top: str) -> str:
        """Say where a package is installed that this interpreter does not find, if it is."""
        if self._site_folders is None:
            nodes = self._files.below("/")
            self._site_folders = [
                node
                for node in nodes
                if node.kind is FileKind.DIRECTORY
                and posixpath.basename(node.path) in ("site-packages", "dist-packages")
            ]
        for node in self._site_folders:
            if top in node.children or f"{top}.py" in node.children:
                return f"it is in {node.path}, where this interpreter does not look"
        return ""

    def _has_distutils(self) -> bool:
        wanted = self.path.interpreter.environment.get("SETUPTOOLS_USE_DISTUTILS", "local")
        return self.path.brings_distutils and wanted == "local"
