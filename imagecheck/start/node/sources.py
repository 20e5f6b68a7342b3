"""Reads files of an image for the walk through its modules, many at a time.

Each reading goes through the layers again, so it pays to ask for what will be needed too.
"""

import posixpath
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import msgspec

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import FileKind

if TYPE_CHECKING:
    from imagecheck.subject import Contents

MAX_BYTES: Final = 32 * 1024**2
"""How much text is read of one image in all."""
MAX_MODULE_BYTES: Final = 8 * 1024**2
"""The largest module that is read: bundles have some megabytes."""
_MAX_BEFOREHAND: Final = 12 * 1024**2
_MAX_FILES_BEFOREHAND: Final = 6000
_MAX_OF_A_PACKAGE: Final = 3 * 1024**2
_NOT_LOADED = frozenset({"test", "tests", "__tests__", "docs", "examples", "umd", ".git", ".bin"})
_ENDINGS = (".js", ".cjs", ".mjs", ".json")


class Sources:
    """The texts of modules and package.json files."""

    def __init__(
        self,
        files: FileSystem,
        contents: "Contents",
    ) -> None:
        self._files = files
        self._contents = contents
        self._texts: dict[str, bytes] = {}
        self._bytes_left = MAX_BYTES
        self._read_packages: set[str] = set()
        self.is_exhausted = False
        """Whether some files were not read, since there were too many."""

    def text(self, node: Node) -> bytes | None:
        """Return a file's text; None where it is too large to be read whole."""
        if node.path not in self._texts:
            self.read([node])
        return self._texts.get(node.path)

    def read(self, nodes: Iterable[Node]) -> None:
        """Read several files at once; those that are too large are left out."""
        wanted = {}
        for node in nodes:
            if node.path in self._texts or node.kind is not FileKind.FILE or not node.is_readable():
                continue
            if node.entry.size > MAX_MODULE_BYTES:
                continue
            if node.entry.size > self._bytes_left:
                self.is_exhausted = True
                continue
            self._bytes_left -= node.entry.size
            wanted[node.path] = node
        if wanted:
            found = self._contents(wanted.values(), MAX_MODULE_BYTES)
            self._texts |= {path: found.get(path, b"") for path in wanted}

    def read_path(self, path: str) -> bytes | None:
        """Return the text of what a path leads to; None where that is not a file, or too large."""
        node = self._files.find(path)
        return self.text(node) if node and node.kind is FileKind.FILE else None

    def read_around(self, folder: str) -> None:
        """Read a folder's own modules, and the package.json of each package, beforehand."""
        own: list[Node] = []
        packages: list[Node] = []
        start = self._files.find(folder)
        waiting = [start] if start else []
        while folder != "/":
            folder = posixpath.dirname(folder)
            above = self._files.find(posixpath.join(folder, "node_modules"))
            waiting += [above] if above else []
        for here in waiting:
            if len(own) + len(packages) > _MAX_FILES_BEFOREHAND:
                break
            for name, child in here.children.items():
                if child.kind is FileKind.DIRECTORY and name not in _NOT_LOADED:
                    waiting.append(child)
                elif name == "package.json":
                    packages.append(child)
                elif name.endswith(_ENDINGS) and "/node_modules/" not in child.path:
                    own.append(child)
        self.read([*packages, *_within(own, _MAX_BEFOREHAND)])

    def read_packages_of(self, nodes: Iterable[Node]) -> None:
        """Read some modules, and with them their packages and what those depend on.

        That is what will most probably be asked for next, and each reading costs one more way
        through the layers.
        """
        wanted: dict[str, Node] = {}
        waiting: list[str] = []
        for node in nodes:
            if node.path not in self._texts:
                wanted[node.path] = node
                waiting.append(package_folder(node.path))
        size = 0
        for root in waiting:
            if not root or root in self._read_packages or size > _MAX_BEFOREHAND:
                continue
            self._read_packages.add(root)
            folder = self._files.find(root)
            modules = _modules_of(folder) if folder else []
            size += sum(node.entry.size for node in modules)
            wanted |= {node.path: node for node in modules}
            waiting += self._dependencies_of(root)
        if wanted:
            self.read(wanted.values())

    def _dependencies_of(self, root: str) -> list[str]:
        """Return the folders of what a package depends on, as far as its package.json is read."""
        text = self._texts.get(posixpath.join(root, "package.json"))
        try:
            content = msgspec.json.decode(text or b"{}", type=_Dependencies)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return []
        found = []
        for name in content.dependencies:
            folder = root
            while folder != "/":
                node = self._files.find(posixpath.join(folder, "node_modules", name))
                if node:
                    found.append(node.path)
                    break
                folder = posixpath.dirname(folder)
        return found


class _Dependencies(msgspec.Struct):
    dependencies: dict[str, object] = {}


def package_folder(path: str) -> str:
    """Return the folder of the package in ``node_modules`` that a file is of; empty for none."""
    before, found, after = path.rpartition("/node_modules/")
    if not found:
        return ""
    names = after.split("/")
    count = 2 if names[0].startswith("@") else 1
    return posixpath.join(before + found, *names[:count]) if len(names) > count else ""


def _modules_of(folder: Node) -> list[Node]:
    found: list[Node] = []
    waiting = [folder]
    while waiting and len(found) < _MAX_FILES_BEFOREHAND:
        for name, child in waiting.pop().children.items():
            if child.kind is FileKind.DIRECTORY and name not in {"node_modules", *_NOT_LOADED}:
                waiting.append(child)
            elif name.endswith(_ENDINGS) and not name.endswith(".min.js"):
                found.append(child)
    return _within(found, _MAX_OF_A_PACKAGE)


def _within(nodes: Iterable[Node], size: int) -> list[Node]:
    """Keep the small ones, as many as go into that many bytes."""
    kept = []
    for node in sorted(nodes, key=lambda node: node.entry.size):
        size -= node.entry.size
        if size < 0:
            break
        kept.append(node)
    return kept
