"""The files of an image as a process sees them: layers merged, paths walked as the kernel does.

How layers are merged: https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md.
How paths are walked: https://man7.org/linux/man-pages/man7/path_resolution.7.html.
"""

import errno
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from release.image.layer import Entry, Kind, Layer

MAX_SYMLINKS: Final = 40
"""``MAXSYMLINKS`` of linux/namei.h."""
_MAX_PATH = 4096
_MAX_NAME = 255
_EXECUTE = 0o1
_READ = 0o4


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
    children: "dict[str, Node]" = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """What it is."""
        return self.entry.kind

    def is_readable(self) -> bool:
        """Whether one who is neither owner nor in the group may read it."""
        return bool(self.entry.mode & _READ)

    def is_executable(self) -> bool:
        """Whether one who is neither owner nor in the group may run it, or walk through it."""
        return bool(self.entry.mode & _EXECUTE)


@dataclass(frozen=True)
class Resolved:
    """Where a path leads, and over which symlinks."""

    node: Node
    links: tuple[Node, ...]


class FileSystem:
    """The merged layers, lowest first. Permissions are those of one who owns nothing."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._root = Node("/", Entry("/", Kind.DIRECTORY, 0o755), 0)
        self.broken: list[str] = []
        """What cannot be unpacked, in words."""
        for number, layer in enumerate(layers):
            for path in layer.emptied:
                if folder := self._existing(path):
                    folder.children.clear()
            for path in layer.removed:
                if folder := self._existing(posixpath.dirname(path)):
                    folder.children.pop(posixpath.basename(path), None)
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
            yield from () if node is start else (node,)
            waiting.extend(node.children[name] for name in sorted(node.children, reverse=True))

    def _walk(self, path: str, *, as_root: bool = False) -> Resolved:
        if not path or "\0" in path:
            raise PathError(errno.ENOENT if not path else errno.EINVAL, path)
        if len(path.encode()) >= _MAX_PATH:
            raise PathError(errno.ENAMETOOLONG, path)
        trail = [self._root]
        links: list[Node] = []
        waiting = path.split("/")[::-1]
        while waiting:
            name = waiting.pop()
            here = trail[-1]
            if here.kind is not Kind.DIRECTORY:
                raise PathError(errno.ENOTDIR, here.path)
            if name in ("", "."):
                continue
            if not (as_root or here.is_executable()):
                raise PathError(errno.EACCES, here.path)
            if name == "..":
                trail = trail[:-1] or trail
                continue
            if len(name.encode()) > _MAX_NAME:
                raise PathError(errno.ENAMETOOLONG, name)
            node = here.children.get(name)
            if node is None:
                raise PathError(errno.ENOENT, posixpath.join(here.path, name))
            if node.kind is not Kind.SYMLINK:
                trail.append(node)
                continue
            links.append(node)
            if len(links) > MAX_SYMLINKS:
                raise PathError(errno.ELOOP, node.path)
            if node.entry.target.startswith("/"):
                trail = [self._root]
            waiting.extend(node.entry.target.split("/")[::-1])
        return Resolved(trail[-1], tuple(links))

    def _existing(self, path: str) -> Node | None:
        try:
            return self._walk(path, as_root=True).node
        except PathError:
            return None

    def _add(self, entry: Entry, layer: int) -> None:
        if entry.path == "/":
            if entry.kind is Kind.DIRECTORY:
                self._root.entry = entry
            return
        folder = self._folder(posixpath.dirname(entry.path), layer)
        name = posixpath.basename(entry.path)
        if folder is None:
            self.broken.append(f"{entry.path} lies below something that is no directory")
            return
        path = posixpath.join(folder.path, name)
        if entry.kind is Kind.HARDLINK:
            shared = self._shared(entry.target)
            if shared is None:
                self.broken.append(
                    f"{entry.path} is a hard link to {entry.target}, which is not there"
                )
                return
            folder.children[name] = Node(path, shared.entry, shared.layer)
            return
        old = folder.children.get(name)
        if old and old.kind is entry.kind is Kind.DIRECTORY:
            old.entry = entry
        else:
            folder.children[name] = Node(path, entry, layer)

    def _shared(self, path: str) -> Node | None:
        folder = self._existing(posixpath.dirname(path))
        node = folder.children.get(posixpath.basename(path)) if folder else None
        return node if node and node.kind is not Kind.DIRECTORY else None

    def _folder(self, path: str, layer: int) -> Node | None:
        """Find the directory that an entry lies in, over symlinks, and make what is missing."""
        missing = []
        while (node := self._existing(path)) is None:
            path, name = posixpath.split(path)
            missing.append(name)
        for name in reversed(missing):
            if node.kind is not Kind.DIRECTORY or name in node.children:
                return None
            path = posixpath.join(node.path, name)
            node.children[name] = Node(path, Entry(path, Kind.DIRECTORY, 0o755), layer)
            node = node.children[name]
        return node if node.kind is Kind.DIRECTORY else None
