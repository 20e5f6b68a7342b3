"""The default folders of a dynamic loader."""

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final

from imagecheck.image.elf import AARCH64, X86_64, Elf
from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import MAX_FILE_BYTES
from imagecheck.start import loader_cache

Contents = Callable[[Iterable[Node]], Mapping[str, bytes]]
"""Reads files of the image, by the paths of their nodes."""

_DEBIAN: Final = {X86_64: "x86_64-linux-gnu", AARCH64: "aarch64-linux-gnu"}
_USUAL: Final = ("/lib64", "/usr/lib64", "/lib", "/usr/lib")
_CONFIGURED: Final = ("/usr/local/lib", "/usr/local/lib64")
_OF_MUSL: Final = ("/lib", "/usr/local/lib", "/usr/lib")
# Lambda's machines have what the third level of x86-64 asks for.
_VARIANTS: Final = {X86_64: ("glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v2", "", "tls")}
_FOLDERS = re.compile(rb"(?<=\0)(?:(?:/[\w.+-]+)+/\0)+")
_OF_LIBRARIES = re.compile(r"/(?:[^/]+/)*lib(?:32|64|x32)?/(?:[^/]+/)*")


class LoaderFolders:
    """The folders that a program's loader searches, from its cache or built into it.

    What has to be read for that is read when it is first asked for.
    """

    def __init__(self, files: FileSystem, elf: Elf, contents: Contents) -> None:
        self._files = files
        self._elf = elf
        self._contents = contents
        self.is_musl = "ld-musl-" in (elf.interpreter or "")
        self.variants = _VARIANTS.get(elf.machine, ("",))
        """The folders below a folder that are searched too."""

    def given(self, search_path: str, workdir: str) -> list[str]:
        """Split LD_LIBRARY_PATH: for glibc, an empty part of it is the working directory."""
        parts = re.split(r"[:\n]" if self.is_musl else r"[:;]", search_path) if search_path else []
        return [posixpath.join(workdir, part) for part in parts if part or not self.is_musl]

    def preloaded(self, environment: Mapping[str, str]) -> Iterator[str]:
        """Yield what is loaded before a program's own libraries."""
        yield from re.split(r"[ :]+", environment.get("LD_PRELOAD", "").strip(" :"))
        node = self._files.find("/etc/ld.so.preload")
        if node and not self.is_musl and node.is_readable():
            text = self._contents([node])[node.path].decode("utf-8", "replace")
            yield from re.split(r"[\s:]+", re.sub(r"#[^\n]*", "", text))

    @property
    def wants_ldconfig(self) -> bool:
        """Whether a library in another folder would be found once ldconfig has run."""
        return not self.is_musl

    def sure_paths(self, name: str) -> Iterator[str]:
        """Yield what needs no reading: the loader searches the folder in which libc lies."""
        yield from (posixpath.join(folder, name) for folder in self._sure)

    def paths(self, name: str) -> Iterator[str]:
        """Yield where a library of that name is looked for, in order."""
        if self.is_musl:
            yield from (posixpath.join(folder, name) for folder in self._of_musl)
            return
        if self._cache is not None:
            yield from self._cache.get(name, ())
        folders = self._built_in if self._cache is not None else (*self._built_in, *_CONFIGURED)
        for folder in folders:
            for more in self.variants:
                yield posixpath.join(folder, more, name)

    @cached_property
    def _sure(self) -> tuple[str, ...]:
        loader = self._files.find(self._elf.interpreter) if self._elf.interpreter else None
        if loader is None or self.is_musl:
            return ()
        debian = _DEBIAN.get(self._elf.machine, "")
        for folder in (posixpath.dirname(loader.path), f"/lib/{debian}"):
            if self._files.find(f"{folder}/libc.so.6"):
                is_debian = folder.endswith(debian)
                return (f"/lib/{debian}", f"/usr/lib/{debian}") if is_debian else (folder,)
        return ()

    @cached_property
    def _cache(self) -> Mapping[str, list[str]] | None:
        """What ldconfig left; nothing where there is no cache, None where it cannot be read."""
        node = self._files.find(loader_cache.PATH)
        if node is None or not node.is_readable():
            return {}
        content = self._contents([node])[node.path]
        if len(content) >= MAX_FILE_BYTES:
            return None
        return loader_cache.read_cache(content, self._elf.machine) or {}

    @cached_property
    def _built_in(self) -> tuple[str, ...]:
        """Read the folders out of the loader; else those that any distribution has."""
        loader = self._files.find(self._elf.interpreter) if self._elf.interpreter else None
        content = self._contents([loader])[loader.path] if loader else b""
        debian = _DEBIAN.get(self._elf.machine, "")
        return built_in_folders(content) or (
            *_USUAL, f"/lib/{debian}", f"/usr/lib/{debian}",
        )  # fmt: skip

    @cached_property
    def _of_musl(self) -> tuple[str, ...]:
        name = posixpath.basename(self._elf.interpreter or "").removesuffix(".so.1")
        node = self._files.find(f"/etc/{name}.path")
        if node is None or not node.is_readable():
            return _OF_MUSL
        text = self._contents([node])[node.path].decode("utf-8", "replace")
        return tuple(folder for folder in re.split(r"[:\n]", text) if folder.startswith("/"))


def built_in_folders(loader: bytes) -> tuple[str, ...]:
    """Return the folders that a loader was built to search; empty where they are not seen."""
    found: tuple[str, ...] = ()
    for run in _FOLDERS.findall(loader):
        folders = tuple(folder.decode() for folder in run.split(b"\0") if folder)
        if len(folders) > len(found) and all(map(_OF_LIBRARIES.fullmatch, folders)):
            found = folders
    return found


def expanded(path: str, origin: str, machine: int) -> Iterator[str]:
    """Yield the folders that an entry of a search path stands for."""
    path = path.replace("${", "$").replace("}", "")
    path = path.replace("$ORIGIN", origin)
    platform = {X86_64: "x86_64", AARCH64: "aarch64"}.get(machine, "")
    path = path.replace("$PLATFORM", platform)
    names = ("lib64", "lib", f"lib/{_DEBIAN.get(machine, '')}") if "$LIB" in path else ("",)
    yield from (posixpath.join("/", path.replace("$LIB", name)) for name in names)
