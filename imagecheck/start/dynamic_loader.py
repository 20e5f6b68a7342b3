"""The shared libraries that a program gets from an image, and those that it lacks.

How glibc's loader looks for them: https://man7.org/linux/man-pages/man8/ld.so.8.html; how musl's
does: https://wiki.musl-libc.org/functional-differences-from-glibc.html.
"""

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from imagecheck.image.elf import Elf
from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import FileKind
from imagecheck.start.loader_folders import Contents, LoaderFolders, expanded

_MAX_LIBRARIES = 2000
_PACKAGES = ("/site-packages/", "/dist-packages/", "/node_modules/")
# With any ending, musl takes these names for its own: they are all in its loader.
_OF_MUSL = {"libc", "libpthread", "librt", "libm", "libdl", "libutil", "libxnet"}


@dataclass(frozen=True)
class Lack:
    """Something for lack of which the loader ends the program, or refuses the module."""

    text: str
    is_certain: bool
    """False where something that runs before may make up for it."""
    exit_status: int = 127
    """What a program ends with: elf/rtld.c of glibc, ldso/dynlink.c of musl."""


def missing_libraries(
    files: FileSystem,
    program: Node,
    environment: Mapping[str, str],
    contents: Contents,
    *,
    module: Node | None = None,
    is_first: bool = True,
    workdir: str = "/",
) -> Iterator[Lack]:
    """Find what a dynamic program and the libraries that it loads lack; nothing for a static one.

    With a ``module``, it is that which the running program loads. ``is_first`` says that nothing
    ran before which could have changed the environment. A relative folder of LD_LIBRARY_PATH
    counts from ``workdir``.
    """
    if program.entry.elf:
        loading = _Loading(
            files, program, environment, contents, is_first=is_first, workdir=workdir
        )
        yield from loading.lacks(module)


class _Loading:
    """What a process has loaded, and from where it loads more."""

    def __init__(
        self,
        files: FileSystem,
        program: Node,
        environment: Mapping[str, str],
        contents: Contents,
        *,
        is_first: bool,
        workdir: str,
    ) -> None:
        self._files = files
        self._program = program
        self._elf = program.entry.elf or Elf(0, loadable=False, complete=False)
        self._folders = LoaderFolders(files, self._elf, contents)
        self._given = self._folders.given(environment.get("LD_LIBRARY_PATH", ""), workdir)
        self._workdir = workdir
        self._preloaded = list(self._folders.preloaded(environment))
        self._is_first = is_first
        self._loaded: dict[str, Node] = {}
        self._order: list[tuple[Node, Elf]] = []
        self._parents: dict[str, Node | None] = {program.path: None}
        self._others: dict[str, list[Node]] | None = None
        self._take_loader()

    def lacks(self, module: Node | None) -> Iterator[Lack]:
        lacks = list(self._load(self._program, module))
        if module:
            # What the program itself lacks is reported for the program.
            self._order.clear()
            self._parents.setdefault(module.path, self._program)
            lacks = list(self._load(module, module))
        yield from lacks
        yield from self._versions()

    def _take_loader(self) -> None:
        interpreter = self._elf.interpreter
        loader = self._files.find(interpreter) if interpreter else None
        if interpreter and loader and loader.entry.elf:
            for name in (posixpath.basename(interpreter), loader.entry.elf.soname):
                self._loaded[name] = loader
            if self._folders.is_musl:
                self._loaded[f"libc.musl-{self._elf.machine_name}.so.1"] = loader

    def _load(self, start: Node, module: Node | None) -> Iterator[Lack]:
        """Load a file and all that it needs, breadth first as both loaders do."""
        waiting = [start, *self._before(start)]
        lacking: set[str] = set()
        for node in waiting:
            elf = node.entry.elf
            if not elf or len(waiting) > _MAX_LIBRARIES:
                continue
            self._order.append((node, elf))
            for name in elf.needed:
                if name in self._loaded or name in lacking or self._is_in_loader(name):
                    continue
                library = self._find(name, node, elf)
                if library is None:
                    lacking.add(name)
                    yield from self._lack(name, node, module)
                    continue
                self._loaded[name] = library
                if library.entry.elf and library.entry.elf.soname:
                    self._loaded.setdefault(library.entry.elf.soname, library)
                if library.path not in self._parents:
                    self._parents[library.path] = node
                    waiting.append(library)

    def _before(self, start: Node) -> Iterator[Node]:
        """Load what is put before a program's libraries; what of it is not found is left out."""
        elf = start.entry.elf
        if start is not self._program or not elf:
            return
        for name in filter(None, self._preloaded):
            is_path = "/" in name
            node = (
                self._usable(posixpath.join(self._workdir, name)) if is_path
                else self._find(name, start, elf)
            )  # fmt: skip
            if node and node.path not in self._parents:
                self._parents[node.path] = start
                # The loader compares with the name in the file, and with that asked for.
                its_name = node.entry.elf.soname if node.entry.elf else None
                self._loaded.setdefault(its_name or name, node)
                yield node

    def _is_in_loader(self, name: str) -> bool:
        return self._folders.is_musl and name.partition(".")[0] in _OF_MUSL

    def _versions(self) -> Iterator[Lack]:
        """Look for versions once all libraries are there; musl does not."""
        if self._folders.is_musl:
            return
        for node, elf in self._order:
            for version in elf.needs_versions:
                library = self._loaded.get(version.library)
                if library and not _has_version(library, version.version):
                    # Another one may come first, which was not looked for as this one was there.
                    library = self._find(version.library, node, elf, is_strict=True) or library
                if library and not _has_version(library, version.version):
                    yield Lack(
                        f"{node.path} needs {version.library} with {version.version}, which"
                        f" {library.path} does not have",
                        exit_status=1,
                        is_certain=True,
                    )

    def _find(
        self, name: str, wanted_by: Node, elf: Elf, *, is_strict: bool = False
    ) -> Node | None:
        if "/" in name:
            return self._usable(posixpath.join("/", name))
        inherited = self._inherited(wanted_by, elf)
        if self._folders.is_musl:
            paths = [posixpath.join(folder, name) for folder in (*self._given, *inherited)]
        else:
            own = () if elf.has_rpath else self._own(wanted_by, elf)
            paths = [
                posixpath.join(folder, more, name)
                for folder in (*inherited, *self._given, *own)
                for more in self._folders.variants
            ]
        for path in (*paths, *(() if is_strict else self._folders.sure_paths(name))):
            if node := self._usable(path):
                return node
        found = (self._usable(path) for path in self._folders.paths(name))
        return next((node for node in found if node), None)

    def _inherited(self, node: Node, elf: Elf) -> list[str]:
        """The folders of DT_RPATH, its own and of who loaded it; of musl, all of both kinds."""
        if elf.search_path and not elf.has_rpath and not self._folders.is_musl:
            return []
        found: list[str] = []
        here: Node | None = node
        for _ in range(len(self._parents) + 1):
            if here is None:
                break
            its = here.entry.elf
            if its and (its.has_rpath or self._folders.is_musl):
                found += self._own(here, its)
            here = self._parents.get(here.path)
        return found

    def _own(self, node: Node, elf: Elf) -> list[str]:
        origin = posixpath.dirname(node.path)
        return [
            folder for path in elf.search_path for folder in expanded(path, origin, elf.machine)
        ]

    def _lack(self, name: str, wanted_by: Node, module: Node | None) -> Iterator[Lack]:
        others = self._named(name)
        usable = next((node for node in others if self._usable(node.path)), None)
        text = f"{wanted_by.path} needs {name}"
        if usable is None:
            why = (
                f"and {others[0].path} is for another CPU or not readable" if others
                else "which is not in the image"
            )  # fmt: skip
            yield Lack(f"{text}, {why}", is_certain=True)
        elif not module:
            text = f"{text}, and {usable.path} is in no folder that the loader searches"
            if self._folders.wants_ldconfig:
                text += " (ldconfig puts it into /etc/ld.so.cache)"
            yield Lack(text, is_certain=self._is_first)
        elif not any(place in usable.path for place in _PACKAGES):
            # A package may load its own libraries by their paths, before what needs them.
            yield Lack(
                f"{text}, and {usable.path} is in no folder that the loader searches",
                is_certain=False,
            )

    def _named(self, name: str) -> list[Node]:
        if self._others is None:
            self._others = defaultdict(list)
            for node in self._files.below("/"):
                if ".so" in node.path:
                    self._others[posixpath.basename(node.path)].append(node)
        return self._others.get(name, [])

    def _usable(self, path: str) -> Node | None:
        node = self._files.find(path)
        fits = node and node.entry.elf and node.entry.elf.machine == self._elf.machine
        return node if node and fits and node.kind is FileKind.FILE and node.is_readable() else None


def _has_version(library: Node, version: str) -> bool:
    has = library.entry.elf.has_versions if library.entry.elf else ()
    return not has or version in has
