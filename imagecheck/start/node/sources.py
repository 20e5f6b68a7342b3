"""Reads files of an image for the walk through its modules, many at a time.

Each reading goes through the layers again, so it pays to ask for what will be needed too.
"""

import posixpath
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import MAX_FILE_BYTES, Kind

MAX_BYTES: Final = 48 * 1024**2
"""How much text is read of one image in all."""
_MAX_BEFOREHAND: Final = 6 * 1024**2
_MAX_FILES_BEFOREHAND: Final = 3000
_ENDINGS = (".js", ".cjs", ".mjs", ".json")


class Sources:
    """The texts of modules and package.json files."""

    def __init__(
        self,
        files: FileSystem,
        contents: Callable[[Iterable[Node]], Mapping[str, bytes]],
    ) -> None:
        self._files = files
        self._contents = contents
        self._texts: dict[str, bytes] = {}
        self._bytes_left = MAX_BYTES
        self.is_exhausted = False
        """Whether some files were not read, since there were too many."""

    def text(self, node: Node) -> bytes | None:
        """Return a file's text; None where it is too large to be read whole."""
        if node.path not in self._texts:
            self.read([node])
        return self._texts.get(node.path)

    def head(self, node: Node) -> bytes:
        """Return the beginning of a file of any size."""
        return self._contents([node]).get(node.path, b"")

    def read(self, nodes: Iterable[Node]) -> None:
        """Read several files at once; those that are too large are left out."""
        wanted = {}
        for node in nodes:
            if node.path in self._texts or node.kind is not Kind.FILE or not node.is_readable():
                continue
            if node.entry.size > MAX_FILE_BYTES:
                continue
            if node.entry.size > self._bytes_left:
                self.is_exhausted = True
                continue
            self._bytes_left -= node.entry.size
            wanted[node.path] = node
        if wanted:
            found = self._contents(wanted.values())
            self._texts |= {path: found.get(path, b"") for path in wanted}

    def read_path(self, path: str) -> bytes | None:
        """Return the text of what a path leads to; None where that is no file, or too large."""
        node = self._files.find(path)
        return self.text(node) if node and node.kind is Kind.FILE else None

    def read_around(self, folder: str) -> None:
        """Read a folder's own modules and the package.json of each of its packages beforehand."""
        own: list[Node] = []
        packages: list[Node] = []
        waiting = [node] if (node := self._files.find(folder)) else []
        while waiting and len(own) + len(packages) < _MAX_FILES_BEFOREHAND:
            here = waiting.pop()
            for name, child in here.children.items():
                if child.kind is Kind.DIRECTORY:
                    waiting.append(child)
                elif name == "package.json":
                    packages.append(child)
                elif name.endswith(_ENDINGS) and "/node_modules/" not in child.path:
                    own.append(child)
        self.read([*packages, *_within(own, _MAX_BEFOREHAND)])

    def read_package_of(self, nodes: Iterable[Node]) -> None:
        """Read some modules, and with them the others of their packages, which they will need."""
        wanted: dict[str, Node] = {}
        for node in nodes:
            if node.path in self._texts:
                continue
            wanted[node.path] = node
            root = package_folder(node.path)
            if root and (folder := self._files.find(root)):
                wanted |= {n.path: n for n in _modules_of(folder)}
        self.read(wanted.values())


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
            if child.kind is Kind.DIRECTORY and name != "node_modules":
                waiting.append(child)
            elif name.endswith(_ENDINGS) and not name.endswith(".min.js"):
                found.append(child)
    return _within(found, _MAX_BEFOREHAND // 2)


def _within(nodes: Iterable[Node], size: int) -> list[Node]:
    """Keep the small ones, as many as go into that many bytes."""
    kept = []
    for node in sorted(nodes, key=lambda node: node.entry.size):
        size -= node.entry.size
        if size < 0:
            break
        kept.append(node)
    return kept
