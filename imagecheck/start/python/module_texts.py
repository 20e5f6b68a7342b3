"""The texts of modules, read in batches: each reading goes through a whole layer."""

import posixpath
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import FileKind
from imagecheck.start.python.loaded import Loaded
from imagecheck.start.python.modules import Miss, PythonModules

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_MAX_TEXT_BYTES: Final = 64 * 1024**2
_MAX_PACKAGE_BYTES: Final = 8 * 1024**2
_MAX_READ_AHEAD: Final = 32 * 1024**2


class ModuleTexts:
    """Reads the texts of modules, and ahead those of the packages that they are of."""

    def __init__(self, subject: "Subject", modules: PythonModules) -> None:
        assert subject.files  # noqa: S101  (nothing is started without files)
        self._subject = subject
        self._files = subject.files
        self._modules = modules
        self._texts: dict[str, bytes] = {}
        self._bytes_left = _MAX_TEXT_BYTES
        self._ahead_left = _MAX_READ_AHEAD
        self._read_ahead: set[str] = set()

    @property
    def is_used_up(self) -> bool:
        """Whether more bytes were asked for than are read of one image."""
        return self._bytes_left < 0

    def waiting_of(self, top: str) -> Iterator[bytes]:
        """Yield the texts of a top-level package that were read ahead, and not yet asked for."""
        for path, text in self._texts.items():
            if f"/{top}/" in path:
                yield text

    def read(self, batch: Iterable[Loaded]) -> None:
        """Read the texts of modules, and keep those that lie beside them. Raises ImageReadError."""
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
        found = self._modules.find(top)
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


def _is_text(node: Node) -> bool:
    return node.kind is FileKind.FILE and node.path.endswith(".py") and node.is_readable()
