"""The files of an image as a process sees them: layers merged, paths walked as the kernel does.

How layers are merged: https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md.
How paths are walked: https://man7.org/linux/man-pages/man7/path_resolution.7.html.
"""

import errno
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from imagecheck.budget import Budget
from imagecheck.image.errors import ImageReadError
from imagecheck.image.layer import MAX_LISTING_BYTES, TOO_MANY_FILES, Entry, FileKind, Layer

MAX_SYMLINKS: Final = 40
"""``MAXSYMLINKS`` of linux/namei.h."""
_MAX_PATH = 4096
_MAX_NAME = 255
_EXECUTE = 0o1
_READ = 0o4
_NODE_BYTES = 256
# A character has four bytes at most.
_SURELY_SHORT_PATH = _MAX_PATH // 4 - 1
_SURELY_SHORT_NAME = _MAX_NAME // 4
# To put an entry in its place takes so much longer than to walk one step.
_STEPS_OF_ENTRY = 8


class PathError(Exception):
    """The path leads nowhere: ``errno`` is the kernel's, ``at`` is where the walk ended."""

    def __init__(self, number: int, at: str) -> None:
        super().__init__(f"{errno.errorcode[number]} at {at}")
        self.errno = number
        self.at = at


@dataclass(eq=False, slots=True)
class Node:
    """A file, directory or link of the merged image."""

    path: str
    entry: Entry
    """What it is. A hard link has the entry of the file that it shares."""
    layer: int
    """Which layer its content is in; the lowest is 0."""
    parent: "Node | None" = field(default=None, repr=False)
    """The directory that it is in; None for the root."""
    children: "dict[str, Node]" = field(default_factory=dict, repr=False)

    @property
    def kind(self) -> FileKind:
        """What it is."""
        return self.entry.kind

    def is_readable(self) -> bool:
        """Whether one who is neither owner nor in the group may read it."""
        return bool(self.entry.mode & _READ)

    def is_executable(self) -> bool:
        """Whether one who is neither owner nor in the group may run it, or walk through it."""
        return bool(self.entry.mode & _EXECUTE)


@dataclass(frozen=True)
class Orphan:
    """A file whose folder is not there when the layer is unpacked up to it."""

    path: str
    folder: str
    """The first folder on the way that is missing."""
    layer: int
    """The number of its layer; the lowest is 0."""


@dataclass(frozen=True)
class Resolved:
    """Where a path leads, and over which symlinks."""

    node: Node
    links: tuple[Node, ...]


class _Lost(NamedTuple):
    """A symlink that leads nowhere: why, and over how many others in all."""

    errno: int
    at: str
    before: int
    """How many links there were before it."""
    behind: int


class FileSystem:
    """The merged layers, lowest first. Permissions are those of one who owns nothing.

    Raises ImageReadError when there are too many files, or the budget is used up: also later.
    """

    def __init__(self, layers: Sequence[Layer], budget: Budget | None = None) -> None:
        self._root = Node("/", Entry("/", FileKind.DIRECTORY, 0o755), 0)
        self._bytes_left = MAX_LISTING_BYTES
        self._made_up = ""
        self._budget = budget or Budget()
        # Where symlinks lead, for root and for others. What is added changes no walk that ended
        # well; what is removed or replaced may, and then all is forgotten.
        self._led: dict[tuple[Node, bool], tuple[Node, tuple[Node, ...]]] = {}
        self._lost: dict[tuple[Node, bool, bool], _Lost] = {}
        self._folders: dict[str, Node] = {}
        self.broken: list[str] = []
        """What cannot be unpacked, in words."""
        self.orphan: Orphan | None = None
        """The first file whose folder had to be made up."""
        for number, layer in enumerate(layers):
            self._budget.spend(_STEPS_OF_ENTRY)
            if layer.removed or layer.emptied:
                self._remove(layer)
            for entry in layer.entries:
                self._add(entry, number)

    def resolve(self, path: str, cwd: str = "/") -> Resolved:
        """Walk to a path and over symlinks, to their end. Raises PathError."""
        return self._walk(posixpath.join(cwd, path) if path else "")

    def find(self, path: str) -> Node | None:
        """Return what a path leads to, if anything that can be reached."""
        try:
            return self.resolve(path).node
        except PathError:
            return None

    def find_link(self, path: str) -> Node | None:
        """Return what is at a path: the link itself where it is a symlink."""
        folder = self.find(posixpath.dirname(path))
        return folder.children.get(posixpath.basename(path)) if folder else None

    def below(self, path: str) -> Iterator[Node]:
        """Go through everything below a directory, by name; symlinks are not followed."""
        start = self.find(path)
        waiting = [start] if start else []
        while waiting:
            node = waiting.pop()
            self._budget.spend(1 + len(node.children))
            yield from () if node is start else (node,)
            waiting.extend(node.children[name] for name in sorted(node.children, reverse=True))

    def _walk(self, path: str, *, as_root: bool = False, make_in: int | None = None) -> Resolved:
        """Walk as the kernel does; with ``make_in``, missing directories come into that layer."""
        if not path or "\0" in path:
            raise PathError(errno.EINVAL if path else errno.ENOENT, path)
        if len(path) > _SURELY_SHORT_PATH and _bytes(path) >= _MAX_PATH:
            raise PathError(errno.ENAMETOOLONG, path)
        links: list[Node] = []
        node = self._go(self._root, path, links, as_root=as_root, make_in=make_in)
        return Resolved(node, tuple(links))

    def _go(
        self, start: Node, path: str, links: list[Node], *, as_root: bool, make_in: int | None
    ) -> Node:
        here = start
        names = path.split("/")
        self._budget.spend(len(names))
        for name in names:
            if here.entry.kind is not FileKind.DIRECTORY:
                raise PathError(errno.ENOTDIR, here.path)
            if not name:
                continue
            if not (as_root or here.is_executable()):
                raise PathError(errno.EACCES, here.path)
            if name == ".":
                continue
            if name == "..":
                here = here.parent or here
                continue
            node = here.children.get(name) or self._missing(here, name, make_in)
            if node.entry.kind is FileKind.SYMLINK:
                node = self._follow(node, links, as_root=as_root, make_in=make_in)
            here = node
        return here

    def _follow(self, link: Node, links: list[Node], *, as_root: bool, make_in: int | None) -> Node:
        """Go where a symlink leads, and note all links on the way."""
        before = len(links)
        links.append(link)
        if led := self._led.get((link, as_root)):
            links += led[1]
        if len(links) > MAX_SYMLINKS:
            raise PathError(errno.ELOOP, links[MAX_SYMLINKS].path)
        if led:
            return led[0]
        key = (link, as_root, make_in is None)
        lost = self._lost.get(key)
        if lost and (before >= lost.before or lost.errno != errno.ELOOP):
            is_loop = before + 1 + lost.behind > MAX_SYMLINKS
            raise PathError(errno.ELOOP if is_loop else lost.errno, lost.at)
        target = link.entry.target
        start = self._root if target.startswith("/") else link.parent or self._root
        try:
            node = self._go(start, target, links, as_root=as_root, make_in=make_in)
        except PathError as error:
            self._lost[key] = _Lost(error.errno, error.at, before, len(links) - before - 1)
            raise
        if node.entry.kind is FileKind.DIRECTORY:
            self._led[link, as_root] = node, tuple(links[before + 1 :])
        return node

    def _missing(self, folder: Node, name: str, make_in: int | None) -> Node:
        if _is_too_long(name):
            raise PathError(errno.ENAMETOOLONG, name)
        path = posixpath.join(folder.path, name)
        if make_in is None:
            raise PathError(errno.ENOENT, path)
        self._made_up = self._made_up or path
        return self._put(folder, name, Entry(path, FileKind.DIRECTORY, 0o755), make_in)

    def _forget(self) -> None:
        """Forget walks: something on the way is there no more."""
        self._led.clear()
        self._lost.clear()
        self._folders.clear()

    def _existing(self, path: str) -> Node | None:
        try:
            return self._walk(path, as_root=True).node
        except PathError:
            return None

    def _remove(self, layer: Layer) -> None:
        self._budget.spend(len(layer.entries) + len(layer.removed) + len(layer.emptied))
        for entry in layer.entries:
            # What is removed below a directory is not what a link leads to that was in its place.
            link = self._at(entry.path) if entry.kind is FileKind.DIRECTORY else None
            if link and link.kind is FileKind.SYMLINK and link.path == entry.path:
                self._drop(entry.path)
        for path in layer.removed:
            self._drop(path)
        for path in layer.emptied:
            if (folder := self._existing(path)) and folder.children:
                folder.children.clear()
                self._forget()

    def _drop(self, path: str) -> None:
        if folder := self._existing(posixpath.dirname(path)):
            self._take_away(folder, posixpath.basename(path))

    def _take_away(self, folder: Node, name: str) -> None:
        old = folder.children.pop(name, None)
        if old and old.kind in (FileKind.DIRECTORY, FileKind.SYMLINK):
            self._forget()

    def _at(self, path: str) -> Node | None:
        """Find what is at a path: the link itself where it is a symlink."""
        folder = self._existing(posixpath.dirname(path))
        return folder.children.get(posixpath.basename(path)) if folder else None

    def _add(self, entry: Entry, layer: int) -> None:
        if entry.path == "/":
            if entry.kind is FileKind.DIRECTORY:
                self._root.entry = entry
            return
        self._budget.spend(_STEPS_OF_ENTRY)
        folder, name = posixpath.split(entry.path)
        try:
            parent = self._folders.get(folder) or self._folder(folder, layer)
        except PathError as error:
            self.broken.append(f"{entry.path} cannot be put into its folder: {error}")
            return
        if self._made_up and not self.orphan:
            self.orphan = Orphan(entry.path, self._made_up, layer)
        if parent.kind is not FileKind.DIRECTORY:
            self.broken.append(f"{entry.path} lies below something that is not a directory")
            return
        if _is_too_long(name):
            self.broken.append(f"{entry.path} has a name that is too long for a file system")
            return
        if entry.kind is FileKind.HARDLINK:
            # What was there makes room first, even if the link is to it.
            self._take_away(parent, name)
            shared = self._at(entry.target)
            if shared is None or shared.kind is FileKind.DIRECTORY:
                self.broken.append(
                    f"{entry.path} is a hard link to {entry.target}, which is not there"
                )
                return
            self._put(parent, name, shared.entry, shared.layer)
            return
        old = parent.children.get(name)
        if old and old.kind is entry.kind is FileKind.DIRECTORY:
            old.entry = entry
        else:
            self._put(parent, name, entry, layer)

    def _folder(self, path: str, layer: int) -> Node:
        node = self._walk(path, as_root=True, make_in=layer).node
        if node.kind is FileKind.DIRECTORY:
            self._folders[path] = node
        return node

    def _put(self, parent: Node, name: str, entry: Entry, layer: int) -> Node:
        path = posixpath.join(parent.path, name)
        self._bytes_left -= _NODE_BYTES + len(path)
        if self._bytes_left < 0:
            raise ImageReadError(TOO_MANY_FILES)
        # Where the two are the same, one text is kept.
        node = Node(entry.path if entry.path == path else path, entry, layer, parent)
        if name in parent.children:
            self._take_away(parent, name)
        self._lost.clear()
        parent.children[name] = node
        return node


def _is_too_long(name: str) -> bool:
    # A byte that is not UTF-8 was read as the four characters of its escape.
    return len(name) > _SURELY_SHORT_NAME and _bytes(name) - 3 * name.count("\\x") > _MAX_NAME


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))
