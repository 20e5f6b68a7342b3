"""Which shared libraries a program gets from an image, and which it lacks.

Where they are looked for: https://man7.org/linux/man-pages/man8/ld.so.8.html. The loader's cache
is not read; the folders that distributions configure for it are taken for its content.
"""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from imagecheck.image.elf import AARCH64, X86_64, Elf
from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import Kind

_USUAL = ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib", "/usr/local/lib64")
_DEBIAN = {X86_64: "x86_64-linux-gnu", AARCH64: "aarch64-linux-gnu"}
_MAX_LIBRARIES = 2000


@dataclass(frozen=True)
class Lack:
    """Something for lack of which the loader ends the program."""

    text: str
    is_certain: bool
    """False where the library is in the image, but in no folder that is known to be searched."""
    exit_status: int = 127
    """What a program ends with: elf/rtld.c of glibc, ldso/dynlink.c of musl."""


def missing_libraries(
    files: FileSystem, program: Node, environment: Mapping[str, str]
) -> Iterator[Lack]:
    """Find what a dynamic program and the libraries that it loads lack; nothing for a static one.

    A library by itself can be given too: then the loader is taken to be there.
    """
    if not program.entry.elf:
        return
    search = _Search(files, program.entry.elf, environment)
    waiting = [program]
    loaded: list[tuple[Node, Elf]] = []
    lacking: set[str] = set()
    while waiting and len(loaded) < _MAX_LIBRARIES:
        node = waiting.pop()
        if not node.entry.elf:
            continue
        loaded.append((node, node.entry.elf))
        for name in node.entry.elf.needed:
            if name in search.loaded or name in lacking:
                continue
            if library := search.find(name, node):
                search.loaded[name] = library
                waiting.append(library)
            else:
                lacking.add(name)
                yield search.lack(name, node)
    # Versions are looked at once all libraries are there.
    for node, elf in loaded:
        for version in elf.needs_versions:
            library = search.loaded.get(version.library)
            has = library.entry.elf.has_versions if library and library.entry.elf else ()
            if library and has and version.version not in has:
                yield Lack(
                    f"{node.path} needs {version.library} with {version.version}, which"
                    f" {library.path} does not have",
                    exit_status=1,
                    is_certain=True,
                )


class _Search:
    def __init__(self, files: FileSystem, elf: Elf, environment: Mapping[str, str]) -> None:
        self._files = files
        self._elf = elf
        self._given = [f for f in environment.get("LD_LIBRARY_PATH", "").split(":") if f]
        debian = _DEBIAN.get(elf.machine, "")
        self._usual = [*_USUAL, f"/lib/{debian}", f"/usr/lib/{debian}"]
        self.loaded: dict[str, Node] = {}
        loader = files.find(elf.interpreter) if elf.interpreter else None
        if loader and loader.entry.elf:
            for name in (posixpath.basename(elf.interpreter or ""), loader.entry.elf.soname):
                self.loaded[name] = loader
            if "ld-musl-" in (elf.interpreter or ""):
                # musl's loader is its libc, under whatever name that is asked for.
                self.loaded["libc.so"] = loader
                self.loaded[f"libc.musl-{elf.machine_name}.so.1"] = loader

    def find(self, name: str, wanted_by: Node) -> Node | None:
        if "/" in name:
            return self._usable(name)
        own = wanted_by.entry.elf.search_path if wanted_by.entry.elf else ()
        origin = posixpath.dirname(wanted_by.path)
        folders = [
            *(f.replace("$ORIGIN", origin).replace("${ORIGIN}", origin) for f in own),
            *self._elf.search_path,
            *self._given,
            *self._usual,
        ]
        found = (self._usable(posixpath.join(folder, name)) for folder in folders)
        return next((node for node in found if node), None)

    def lack(self, name: str, wanted_by: Node) -> Lack:
        others = [n for n in self._files.below("/") if posixpath.basename(n.path) == name]
        text = f"{wanted_by.path} needs {name}"
        for node in others:
            if self._usable(node.path):
                text = f"{text}, and {node.path} is in no folder that the loader is known to search"
                return Lack(text, is_certain=False)
        if others:
            return Lack(
                f"{text}, and {others[0].path} is for another CPU or not readable", is_certain=True
            )
        return Lack(f"{text}, which is not in the image", is_certain=True)

    def _usable(self, path: str) -> Node | None:
        node = self._files.find(path)
        fits = node and node.entry.elf and node.entry.elf.machine == self._elf.machine
        return node if node and fits and node.kind is Kind.FILE and node.is_readable() else None
