"""The standard library of an interpreter of the image, and the endings of its native modules."""

import re
from typing import TYPE_CHECKING, Literal

from imagecheck.image.elf import AARCH64
from imagecheck.image.filesystem import FileSystem
from imagecheck.start.python.search_path import SearchPath
from imagecheck.start.python.standard_library import COMPILED, NEEDS_A_LIBRARY, OLDEST, is_standard

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_WHOLE_LIBRARY = 60
"""A standard library with at least so many modules is taken for a whole one."""
_USUAL_COMPILED = 20
"""So many files in lib-dynload say that modules are not built in, as a rule."""
_FREE_THREADED = re.compile(r"python3\.\d+t")


class ImageLibrary:
    """The standard library: that of the image where it is whole, else that of the tables."""

    def __init__(self, files: FileSystem, path: SearchPath) -> None:
        interpreter = path.interpreter
        self._minor = interpreter.minor
        self._folder = interpreter.library
        node = files.find(self._folder) if self._folder else None
        names = node.children if node else {}
        modules = [n for n in names if n.endswith((".py", ".pyc")) or n == "encodings"]
        zipped = f"{interpreter.prefix.rstrip('/')}/lib/python3{self._minor}.zip"
        self.is_whole = (
            len(modules) >= _WHOLE_LIBRARY and "encodings" in names and not files.find(zipped)
        )
        """Whether the image has all of it."""
        compiled = files.find(f"{self._folder}/lib-dynload") if self._folder else None
        self.compiled = tuple(compiled.children) if compiled else ()
        """The names of the files in lib-dynload."""

    def has(self, folder: str) -> bool:
        """Whether a folder is of the standard library."""
        is_inside = folder == self._folder or folder.startswith(f"{self._folder}/")
        return bool(self._folder) and is_inside and "-packages" not in folder

    def has_no_file_of(self, name: str) -> bool:
        """Whether a module that this version has is in no file, and so in the interpreter."""
        is_file = any(file.startswith(f"{name}.") for file in self.compiled)
        return bool(self.compiled) and not is_file and is_standard(name, self._minor)

    def judge(self, name: str) -> Literal["there", "doubtful", "missing"]:
        """Say whether a module that is in no folder is built in, or would be in a whole one."""
        if name in NEEDS_A_LIBRARY and self.compiled and is_standard(name, self._minor):
            if any(file.startswith(f"{name}.") for file in self.compiled):
                return "there"
            return "missing" if len(self.compiled) >= _USUAL_COMPILED else "doubtful"
        minor = self._minor if self._minor and self._minor >= OLDEST else None
        if not is_standard(name, minor):
            return "missing"
        is_expected = self.is_whole and name not in COMPILED and not name.startswith("_")
        return "missing" if is_expected else "there"


def native_endings(
    path: SearchPath, library: ImageLibrary, subject: "Subject"
) -> tuple[tuple[str, bool], ...]:
    """Return the endings of native modules: ``EXTENSION_SUFFIXES`` of importlib.machinery."""
    minor = path.interpreter.minor
    if minor is None:
        return ((".so", False), (".abi3.so", False))
    tags = {
        match[1]
        for file in library.compiled
        if (match := re.search(rf"\.(cpython-3{minor}t?-[\w-]+)\.so$", file))
    }
    if len(tags) == 1:
        tag = tags.pop()
    else:
        cpu = "aarch64" if subject.function.machine == AARCH64 else "x86_64"
        thread = "t" if _FREE_THREADED.search(path.interpreter.program) else ""
        libc = "musl" if path.interpreter.is_musl else "gnu"
        tag = f"cpython-3{minor}{thread}-{cpu}-linux-{libc}"
    endings = (f".{tag}.so", ".abi3.so", ".so")
    return tuple((ending, False) for ending in endings)
