"""Where Java looks for classes: folders and jars of an image.

A jar's names are in the central directory at its end, which zipfile reads.
"""

import posixpath
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import Kind
from imagecheck.start.options import java_program
from imagecheck.start.shell.state import UNKNOWN

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject

CLIENT_PACKAGE: Final = "com/amazonaws/services/lambda/runtime/api/client/"
_MAX_JARS: Final = 500
_MAX_JAR_BYTES: Final = 64 * 1024**2
_MAX_BYTES: Final = 256 * 1024**2


@dataclass(frozen=True)
class ClassPath:
    """What is on a class path."""

    folders: tuple[Node, ...]
    jars: tuple[tuple[str, frozenset[str]], ...]
    """Each jar's path, and the names in it."""
    is_unknown: bool = False
    """Whether something on it could not be read, so that a class may be there."""

    def names(self) -> Iterator[str]:
        """The names in all jars."""
        for _, names in self.jars:
            yield from names

    def has(self, class_name: str) -> bool:
        """Whether a class is on it, by its full name; an inner class also with dots."""
        for path in _files_of(class_name):
            parts = path.split("/")
            if any(_below(folder, parts) for folder in self.folders):
                return True
            if any(path in names for _, names in self.jars):
                return True
        return False

    @property
    def text(self) -> str:
        """The places, in words."""
        places = [node.path for node in self.folders] + [path for path, _ in self.jars]
        more = f" and {len(places) - 5} more" if len(places) > 5 else ""  # noqa: PLR2004
        return (", ".join(places[:5]) or "no place that is there") + more


def class_path_of(subject: "Subject", process: "Process") -> ClassPath:
    """Read the class path that a java command has. Raises CannotLookError."""
    words = _with_files(subject, process)
    if words is None:
        return ClassPath((), (), is_unknown=True)
    given, jar, _, _ = java_program(words)
    if jar:
        given = jar
    text = given or process.environment.get("CLASSPATH", "") or "."
    entries = [posixpath.join(process.workdir, entry or ".") for entry in text.split(":")]
    return read_class_path(subject, entries)


def read_class_path(subject: "Subject", entries: Sequence[str]) -> ClassPath:
    """Read folders, jars and ``folder/*``. Raises CannotLookError."""
    assert subject.files  # noqa: S101  (the caller has looked)
    folders: list[Node] = []
    jars: list[Node] = []
    is_unknown = any(UNKNOWN in entry or "$" in entry for entry in entries)
    for entry in entries:
        if entry.endswith("/*"):
            jars += _jars_in(subject.files, entry.removesuffix("/*"))
            continue
        node = subject.files.find(entry)
        if node and node.kind is Kind.DIRECTORY:
            folders.append(node)
        elif node and node.kind is Kind.FILE:
            jars.append(node)
    read = dict(_read(subject, jars))
    is_unknown = is_unknown or any(names is None for names in read.values())
    known = tuple((path, names) for path, names in read.items() if names is not None)
    return ClassPath(tuple(folders), known, is_unknown)


def _with_files(subject: "Subject", process: "Process") -> tuple[str, ...] | None:
    """Put the content of ``@file`` arguments in their place; None where one is not read."""
    assert subject.files  # noqa: S101  (the caller has looked)
    words: list[str] = []
    for word in process.words:
        if not word.startswith("@") or len(word) == 1:
            words.append(word)
            continue
        node = subject.files.find(posixpath.join(process.workdir, word[1:]))
        if not node or node.kind is not Kind.FILE:
            return None
        words += subject.contents([node])[node.path].decode("utf-8", "replace").split()
    return tuple(words)


def _jars_in(files: FileSystem, path: str) -> list[Node]:
    folder = files.find(path)
    found = (files.find(child.path) for child in folder.children.values()) if folder else ()
    return [
        node
        for node in found
        if node and node.kind is Kind.FILE and node.path.lower().endswith(".jar")
    ]


def _read(subject: "Subject", jars: Sequence[Node]) -> Iterator[tuple[str, frozenset[str] | None]]:
    left = _MAX_BYTES
    for number, jar in enumerate(jars):
        left -= jar.entry.size
        if number >= _MAX_JARS or left < 0 or jar.entry.size > _MAX_JAR_BYTES:
            yield jar.path, None
            continue
        content = subject.contents([jar], _MAX_JAR_BYTES)[jar.path]
        subject.budget.spend(len(content) // 1000)
        try:
            with zipfile.ZipFile(BytesIO(content)) as archive:
                yield jar.path, frozenset(archive.namelist())
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            yield jar.path, None


def _files_of(class_name: str) -> Iterator[str]:
    """The names of the file that a class may have: an inner one is ``Outer$Inner.class``."""
    parts = class_name.split(".")
    for inner in range(len(parts)):
        outer = "/".join(parts[: len(parts) - inner])
        yield f"{'$'.join([outer, *parts[len(parts) - inner :]])}.class"


def _below(folder: Node, parts: Sequence[str]) -> bool:
    node: Node | None = folder
    for part in parts:
        node = node.children.get(part) if node else None
    return node is not None
