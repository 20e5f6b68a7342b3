"""Java's class path: folders and jars of an image.

A jar's names are in the central directory at its end, which zipfile reads.
"""

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import FileKind
from imagecheck.start.java_command import java_agents, java_words
from imagecheck.start.options import java_program
from imagecheck.start.shell.state import UNKNOWN

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject

CLIENT_PACKAGE: Final = "com/amazonaws/services/lambda/runtime/api/client/"
_MANIFEST: Final = "META-INF/MANIFEST.MF"
_MAX_MANIFEST_BYTES: Final = 1024**2
_END: Final = b"PK\5\6"
_MAX_END_BYTES: Final = 22 + 65535
"""A zip file ends with this record, which may have a comment."""
_CLASS_MAGIC: Final = 0xCAFEBABE
_CLASS_HEAD: Final = struct.Struct(">IHH")
"""Magic, minor version, version: https://docs.oracle.com/javase/specs/jvms/se21/html/jvms-4.html"""
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
    is_agent: bool
    """Whether its manifest has a Premain-Class."""
    is_multi_release: bool
    """Whether it may have other classes for newer versions of Java."""


class ClassFile(NamedTuple):
    """Where a class is: a file, or a member of a jar."""

    path: str
    member: str = ""

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.member} in {self.path}" if self.member else self.path


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
        return any(True for _ in self.files_of(class_name))

    def files_of(self, class_name: str, java: int = 8) -> Iterator[ClassFile]:
        """Find each file of a class that a version of Java may load, in no certain order."""
        for path in _files_of(class_name):
            parts = path.split("/")
            for folder in self.folders:
                node = _below(folder, parts)
                if node:
                    yield ClassFile(node.path)
            for jar in self.jars:
                member = _member(jar, path, java)
                if member in jar.names:
                    yield ClassFile(jar.path, member)

    @property
    def text(self) -> str:
        """The places, in words."""
        places = [node.path for node in self.folders] + [jar.path for jar in self.jars]
        more = f" and {len(places) - 5} more" if len(places) > 5 else ""  # noqa: PLR2004
        return (", ".join(places[:5]) or "no place that is there") + more


def class_path_of(subject: "Subject", process: "Process") -> ClassPath:
    """Read the class path that a java command has. Raises ImageReadError."""
    words = java_words(subject, process)
    if words is None:
        return ClassPath((), (), is_unknown=True)
    given, jar, _, _ = java_program(words)
    text = jar or given or process.environment.get("CLASSPATH", "") or "."
    entries = [posixpath.join(process.workdir, entry or ".") for entry in text.split(":")]
    program = process.chain.program
    if program:
        # Java puts the jar of an agent at the end.
        agents = java_agents(subject, process, program.path)
        entries += [agent.path for agent in agents if not agent.is_native]
    return read_class_path(subject, entries)


def read_class_path(subject: "Subject", entries: Sequence[str]) -> ClassPath:
    """Read folders, jars and ``folder/*``, and what jars name. Raises ImageReadError."""
    assert subject.files  # noqa: S101  (the caller has looked)
    folders: dict[str, Node] = {}
    jars: dict[str, Jar | None] = {}
    is_unknown = any(UNKNOWN in entry or "$" in entry for entry in entries)
    subject.budget.spend(10 * len(entries))
    found = [node for entry in entries for node in _named(subject.files, entry)]
    left = _MAX_BYTES
    while found:
        subject.budget.spend(10 * len(found))
        folders |= {node.path: node for node in found if node.kind is FileKind.DIRECTORY}
        new = {
            node.path: node
            for node in found
            if node.kind is FileKind.FILE and node.path not in jars
        }
        wanted = []
        for node in new.values():
            left -= node.entry.size
            jars[node.path] = None
            if len(jars) <= _MAX_JARS and left >= 0:
                wanted.append(node)
        found = []
        for jar in _read_jars(subject, wanted):
            jars[jar.path] = jar
            subject.budget.spend(10 * len(jar.class_path))
            found += [node for url in jar.class_path for node in _at(subject.files, url)]
    is_unknown = is_unknown or None in jars.values()
    known = tuple(jar for jar in jars.values() if jar)
    return ClassPath(tuple(folders.values()), known, is_unknown)


def read_jar(subject: "Subject", node: Node) -> Jar | None:
    """Read a jar's names and its manifest; None for what cannot be read. Raises ImageReadError."""
    return next(_read_jars(subject, [node]), None)


def _read_jars(subject: "Subject", nodes: Sequence[Node]) -> Iterator[Jar]:
    """Read those that can be read, some at a time: to read a file is to read its layer."""
    waiting = [node for node in nodes if node.entry.size <= _MAX_JAR_BYTES]
    while waiting:
        sizes = accumulate(node.entry.size for node in waiting)
        some = max(1, sum(size <= _MAX_JAR_BYTES for size in sizes))
        contents = subject.contents(waiting[:some], _MAX_JAR_BYTES)
        for node in waiting[:some]:
            jar = _jar(subject, node, contents[node.path])
            if jar:
                yield jar
        waiting = waiting[some:]


def _jar(subject: "Subject", node: Node, content: bytes) -> Jar | None:
    subject.budget.spend(len(content) // 1000)
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = frozenset(archive.namelist())
            manifest = next((name for name in names if name.upper() == _MANIFEST), None)
            if manifest and archive.getinfo(manifest).file_size > _MAX_MANIFEST_BYTES:
                return None
            text = archive.read(manifest).decode("utf-8", "replace") if manifest else ""
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
        is_agent="premain-class" in attributes,
        is_multi_release=attributes.get("multi-release", "").lower() == "true",
    )


def is_no_jar(subject: "Subject", node: Node) -> bool:
    """Whether a file is certainly no jar: it lacks the record that each ends with.

    Raises ImageReadError.
    """
    if node.entry.size > _MAX_JAR_BYTES:
        return False
    return _END not in subject.contents([node], _MAX_JAR_BYTES)[node.path][-_MAX_END_BYTES:]


def class_version(subject: "Subject", file: ClassFile) -> int | None:
    """Return the version of a class's file; None where it is not known. Raises ImageReadError."""
    node = subject.files.find(file.path) if subject.files else None
    if node is None or node.kind is not FileKind.FILE or node.entry.size > _MAX_JAR_BYTES:
        return None
    content = subject.contents([node], _MAX_JAR_BYTES)[node.path]
    if file.member:
        try:
            with zipfile.ZipFile(BytesIO(content)) as archive, archive.open(file.member) as member:
                content = member.read(_CLASS_HEAD.size)
        except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, EOFError):
            return None
    if len(content) < _CLASS_HEAD.size:
        return None
    magic, _, version = _CLASS_HEAD.unpack_from(content)
    return int(version) if magic == _CLASS_MAGIC else None


def _manifest(text: str) -> dict[str, str]:
    """Read the main attributes: a line that begins with a space goes on with the one before it."""
    section = text.replace("\r\n", "\n").replace("\r", "\n").partition("\n\n")[0]
    lines = section.replace("\n ", "").splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _named(files: FileSystem, entry: str) -> Iterator[Node]:
    """Find what an entry of a class path is: a folder, a file, or the jars of ``folder/*``."""
    if not entry.endswith("/*"):
        node = files.find(entry)
        if node:
            yield node
        return
    folder = files.find(entry.removesuffix("/*"))
    for child in folder.children.values() if folder else ():
        node = files.find(child.path)
        if node and node.kind is FileKind.FILE and node.path.lower().endswith(".jar"):
            yield node


def _at(files: FileSystem, url: str) -> Iterator[Node]:
    """Find what a jar's manifest names: by a URL, only what ends with a slash is a folder."""
    node = files.find(url)
    if node and (node.kind is FileKind.DIRECTORY) == url.endswith("/"):
        yield node


def _files_of(class_name: str) -> Iterator[str]:
    """The names of the file that a class may have: an inner one is ``Outer$Inner.class``."""
    parts = class_name.split(".")
    for inner in range(len(parts)):
        outer = "/".join(parts[: len(parts) - inner])
        yield f"{'$'.join([outer, *parts[len(parts) - inner :]])}.class"


def _member(jar: Jar, path: str, java: int) -> str:
    """Return the name of a class's file in a jar, which may have one for each version of Java.

    https://docs.oracle.com/en/java/javase/21/docs/specs/jar/jar.html#multi-release-jar-files
    """
    versions = range(java, 8, -1) if jar.is_multi_release else ()
    of_versions = (f"META-INF/versions/{version}/{path}" for version in versions)
    return next((name for name in of_versions if name in jar.names), path)


def _below(folder: Node, parts: Sequence[str]) -> Node | None:
    node: Node | None = folder
    for part in parts:
        node = node.children.get(part) if node else None
    return node
