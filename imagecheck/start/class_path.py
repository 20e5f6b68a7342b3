"""Where Java looks for classes: folders and jars of an image.

A jar's names are in the central directory at its end, which zipfile reads.
"""

import posixpath
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import Kind
from imagecheck.start.options import java_program
from imagecheck.start.shell.state import UNKNOWN

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject

CLIENT_PACKAGE: Final = "com/amazonaws/services/lambda/runtime/api/client/"
_MANIFEST: Final = "META-INF/MANIFEST.MF"
_MAX_MANIFEST_BYTES: Final = 1024**2
_MAX_JARS: Final = 500
_MAX_JAR_BYTES: Final = 64 * 1024**2
_MAX_BYTES: Final = 256 * 1024**2


@dataclass(frozen=True)
class Jar:
    """A jar that was read."""

    path: str
    names: frozenset[str]
    main_class: str
    """The Main-Class of its manifest; empty where it has none."""
    class_path: tuple[str, ...]
    """What else belongs to it: the Class-Path of its manifest, as absolute paths."""


@dataclass(frozen=True)
class ClassPath:
    """What is on a class path."""

    folders: tuple[Node, ...]
    jars: tuple["Jar", ...]
    is_unknown: bool = False
    """Whether something on it could not be read, so that a class may be there."""

    def names(self) -> Iterator[str]:
        """The names in all jars."""
        for jar in self.jars:
            yield from jar.names

    def has(self, class_name: str) -> bool:
        """Whether a class is on it, by its full name; an inner class also with dots."""
        for path in _files_of(class_name):
            parts = path.split("/")
            if any(_below(folder, parts) for folder in self.folders):
                return True
            if any(path in jar.names for jar in self.jars):
                return True
        return False

    @property
    def text(self) -> str:
        """The places, in words."""
        places = [node.path for node in self.folders] + [jar.path for jar in self.jars]
        more = f" and {len(places) - 5} more" if len(places) > 5 else ""  # noqa: PLR2004
        return (", ".join(places[:5]) or "no place that is there") + more


def class_path_of(subject: "Subject", process: "Process") -> ClassPath:
    """Read the class path that a java command has. Raises CannotLookError."""
    words = java_words(subject, process)
    if words is None:
        return ClassPath((), (), is_unknown=True)
    given, jar, _, _ = java_program(words)
    text = jar or given or process.environment.get("CLASSPATH", "") or "."
    entries = [posixpath.join(process.workdir, entry or ".") for entry in text.split(":")]
    return read_class_path(subject, entries)


def read_class_path(subject: "Subject", entries: Sequence[str]) -> ClassPath:
    """Read folders, jars and ``folder/*``, and what jars name. Raises CannotLookError."""
    assert subject.files  # noqa: S101  (the caller has looked)
    folders: dict[str, Node] = {}
    jars: dict[str, Jar | None] = {}
    is_unknown = any(UNKNOWN in entry or "$" in entry for entry in entries)
    waiting = list(entries)
    left = _MAX_BYTES
    while waiting:
        entry = waiting.pop(0)
        subject.budget.spend(10)
        if entry.endswith("/*"):
            waiting += _jars_in(subject.files, entry.removesuffix("/*"))
            continue
        node = subject.files.find(entry)
        if node and node.kind is Kind.DIRECTORY:
            folders[node.path] = node
        elif node and node.kind is Kind.FILE and node.path not in jars:
            left -= node.entry.size
            is_too_much = len(jars) >= _MAX_JARS or left < 0
            jar = jars[node.path] = None if is_too_much else read_jar(subject, node)
            waiting += jar.class_path if jar else ()
    is_unknown = is_unknown or None in jars.values()
    known = tuple(jar for jar in jars.values() if jar)
    return ClassPath(tuple(folders.values()), known, is_unknown)


def read_jar(subject: "Subject", node: Node) -> Jar | None:
    """Read a jar's names and its manifest; None for what cannot be read. Raises CannotLookError."""
    if node.entry.size > _MAX_JAR_BYTES:
        return None
    content = subject.contents([node], _MAX_JAR_BYTES)[node.path]
    subject.budget.spend(len(content) // 1000)
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = frozenset(archive.namelist())
            has_manifest = _MANIFEST in names
            if has_manifest and archive.getinfo(_MANIFEST).file_size > _MAX_MANIFEST_BYTES:
                return None
            text = archive.read(_MANIFEST).decode("utf-8", "replace") if has_manifest else ""
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, EOFError):
        return None
    attributes = _manifest(text)
    folder = posixpath.dirname(node.path)
    urls = attributes.get("class-path", "").split()
    return Jar(
        node.path,
        names,
        attributes.get("main-class", ""),
        tuple(posixpath.join(folder, unquote(url).removeprefix("file:")) for url in urls),
    )


def _manifest(text: str) -> dict[str, str]:
    """Read the main attributes: a line that begins with a space goes on with the one before it."""
    section = text.replace("\r\n", "\n").replace("\r", "\n").partition("\n\n")[0]
    lines = section.replace("\n ", "").splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def java_words(subject: "Subject", process: "Process") -> tuple[str, ...] | None:
    """Return the words of a java command, with the content of ``@file`` arguments in their place.

    None where one is not read, or where a variable adds options. Raises CannotLookError.
    """
    assert subject.files  # noqa: S101  (the caller has looked)
    if process.environment.get("JDK_JAVA_OPTIONS"):
        return None
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


def _jars_in(files: FileSystem, path: str) -> list[str]:
    folder = files.find(path)
    found = (files.find(child.path) for child in folder.children.values()) if folder else ()
    return [
        node.path
        for node in found
        if node and node.kind is Kind.FILE and node.path.lower().endswith(".jar")
    ]


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
