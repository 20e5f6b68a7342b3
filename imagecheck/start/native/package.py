"""The packages of an image that bring native modules.

A package brings a module for each platform that it runs on, so only all of its modules together
tell whether it can be loaded.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import FileKind
from imagecheck.start.native.platform import is_native

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_IN_NODE_MODULES = re.compile(r"(?P<root>.*/node_modules)/(?P<name>@[^/]+/[^/]+|[^/]+)/")
_PLATFORM_WORDS: Final = frozenset(
    """aix android arm arm64 armhf armv6 armv7 armv8 armv7l aarch64 amd64 darwin eabi freebsd glibc
    gnu gnueabihf ia32 linux linuxglibc linuxmusl loong64 mips64el mipsel msvc musl musleabihf
    netbsd openbsd openharmony ppc64 ppc64le riscv64 s390x sunos universal wasi wasm32 win32 windows
    x64 x86 x86_64""".split()  # noqa: SIM905
)
_PYTHON_FOLDERS = ("site-packages", "dist-packages")
_PYTHON_ENDINGS = (".so", ".pyd", ".dylib")
_TAGGED = re.compile(r"\.(?:cpython-|abi3\.|pypy|darwin)[^/]*$")


@dataclass(frozen=True)
class NativePackage:
    """The native modules that belong together: one that fits is enough."""

    language: Literal["node", "python"]
    name: str
    """Such as ``sharp``; of packages for one platform each, what their names share."""
    folders: tuple[str, ...]
    """Where it is: several for packages of one platform each."""
    modules: tuple[Node, ...]
    has_other: bool = False
    """Whether a sibling for WebAssembly does where no machine code fits."""

    @property
    def is_family(self) -> bool:
        """Whether each platform has a package of its own, which another package chooses from."""
        return any(not folder.endswith(f"/{self.name}") for folder in self.folders)

    def relative(self, module: Node) -> str:
        """Return a module's path inside of its package, with the package's own name."""
        folder = next((f for f in self.folders if module.path.startswith(f"{f}/")), "")
        return module.path.removeprefix(posixpath.dirname(folder) if self.is_family else folder)

    def has(self, path: str) -> bool:
        """Whether a file belongs to it."""
        return any(
            path.startswith(f"{folder}/") and "/node_modules/" not in path[len(folder) :]
            for folder in self.folders
        ) or any(path == module.path for module in self.modules)


def packages_of(subject: "Subject") -> list[NativePackage]:
    """Find the packages that have native modules for Node or Python."""
    files = subject.files
    if not files:
        return []
    groups: dict[tuple[str, str], list[Node]] = {}
    folders: dict[tuple[str, str], dict[str, None]] = {}
    places = _Places(subject, files)
    for node in files.below("/"):
        subject.budget.spend()
        place = places.of(node)
        if place:
            key, folder = place
            groups.setdefault(key, []).append(node)
            folders.setdefault(key, {})[folder] = None
    return [
        NativePackage(
            language="node" if modules[0].path.endswith(".node") else "python",
            name=key[1],
            folders=tuple(folders[key]),
            modules=tuple(modules),
            has_other=_has_wasm(files, folders[key]),
        )
        for key, modules in groups.items()
    ]


def base_name(package: str) -> str:
    """Take a platform's words off the end of a package's name: ``sharp-linux-x64`` is ``sharp``."""
    words = re.split(r"([-_.+])", package)
    while len(words) > 1 and words[-1].lower() in _PLATFORM_WORDS:
        words = words[:-2]
    if len(words) == 1 and words[0].rpartition("/")[2].lower() in _PLATFORM_WORDS:
        return f"{words[0].rpartition('/')[0]}/"
    return "".join(words)


class _Places:
    """Says to which package a file belongs: a key, and the package's folder."""

    def __init__(self, subject: "Subject", files: FileSystem) -> None:
        self._files = files
        self._roots = {*subject.task_roots, "/opt/python"}
        handler = subject.judgement.handler
        self._takes_plain = handler is None or handler.language == "python"

    def of(self, node: Node) -> tuple[tuple[str, str], str] | None:
        path = node.path
        if node.kind is not FileKind.FILE or not path.endswith((".node", *_PYTHON_ENDINGS)):
            return None
        if not is_native(node):
            return None
        if path.endswith(".node"):
            return self._of_node(path)
        return self._of_python(path)

    @staticmethod
    def _of_node(path: str) -> tuple[tuple[str, str], str]:
        match = _IN_NODE_MODULES.match(path)
        if match:
            # Packages of one platform each lie side by side, with pnpm each in a folder of its own.
            root = match["root"].partition("/.pnpm/")[0]
            return (root, base_name(match["name"])), f"{match['root']}/{match['name']}"
        folder = posixpath.dirname(path)
        parts = folder.split("/")
        while len(parts) > 1 and (
            base_name(f"x-{parts[-1]}") == "x" or parts[-1] in ("prebuilds", "build", "Release")
        ):
            parts.pop()
        own = "/".join(parts) or folder
        return (posixpath.dirname(own), posixpath.basename(own)), own

    def _of_python(self, path: str) -> tuple[tuple[str, str], str] | None:
        root = self._root_of(path)
        if root is None or "/node_modules/" in path:
            return None
        if not (self._takes_plain or _TAGGED.search(path) or root.endswith(_PYTHON_FOLDERS)):
            return None
        top = path.removeprefix(f"{root.rstrip('/')}/").partition("/")[0]
        name = top.removesuffix(".libs").removesuffix(".dylibs").partition(".")[0]
        return (root, name), f"{root.rstrip('/')}/{name}"

    def _root_of(self, path: str) -> str | None:
        """Return the folder that Python would import it from."""
        parts = path.split("/")
        for end in range(len(parts) - 1, 1, -1):
            folder = "/".join(parts[:end])
            if parts[end - 1] in _PYTHON_FOLDERS or folder in self._roots:
                return folder
        return None


def _has_wasm(files: FileSystem, folders: Iterable[str]) -> bool:
    return any(
        "wasm32" in name and base_name(name) == base_name(posixpath.basename(folder))
        for folder in folders
        for name in _siblings(files, folder)
    )


def _siblings(files: FileSystem, folder: str) -> Iterator[str]:
    parent = files.find(posixpath.dirname(folder))
    yield from parent.children if parent else ()
