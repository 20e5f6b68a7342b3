"""The ``.pth`` files of a folder of packages, and what they add to the module search path.

https://docs.python.org/3/library/site.html. Lines that are code are those of editable installs,
which are read as far as their tools write them: setuptools, hatch, PDM, uv, poetry.
"""

import ast
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import FileKind

if TYPE_CHECKING:
    from imagecheck.subject import Subject

CHANGES_IMPORTS = re.compile(
    rb"sys\.(?:path|modules|meta_path)|from\s+sys\s+import|addsitedir|path_hooks"
)
"""Code that may change what an import finds: https://docs.python.org/3/reference/import.html."""

_IMPORTED = re.compile(r"import[ \t]+([\w.]+)")
_MAPPED = re.compile(r"map_module\(\s*(['\"])(?P<name>[\w.]+)\1\s*,\s*(['\"])(?P<path>[^'\"]+)\3")
# Namespace packages of old: what they do to sys.modules, a folder without code does by itself.
_NAMESPACE = re.compile(r"import\s+.*_getframe\(1\).*\bsitedir\b")
_HARMLESS = frozenset({"_virtualenv", "os", "sys", "site"})
_MAX_PATH_FILES = 500
_DISTUTILS = "distutils-precedence.pth"


@dataclass
class PathFiles:
    """What the ``.pth`` files add."""

    folders: list[str] = field(default_factory=list)
    mapped: dict[str, str] = field(default_factory=dict)
    """Modules that lie elsewhere: the path of a package's folder, or of a file."""
    unknown: list[str] = field(default_factory=list)
    """The ``.pth`` files with code that may change imports in ways that are not read here."""
    brings_distutils: bool = False
    """Whether setuptools stands in for the distutils that Python 3.12 no longer has."""


def read_path_files(subject: "Subject", folder: Node) -> PathFiles:
    """Read them as site.py does, by name: folders and code. Raises ImageReadError."""
    found = PathFiles()
    names = sorted(name for name in folder.children if name.endswith(".pth"))
    assert subject.files  # noqa: S101  (the folder is one of them)
    paths = [posixpath.join(folder.path, name) for name in names[:_MAX_PATH_FILES]]
    nodes = [node for path in paths if (node := subject.files.find(path))]
    nodes = [node for node in nodes if node.kind is FileKind.FILE and node.is_readable()]
    texts = subject.contents(nodes) if nodes else {}
    code: list[tuple[Node, str]] = []
    for node in nodes:
        subject.budget.spend(1 + node.entry.size // 100)
        if posixpath.basename(node.path) == _DISTUTILS:
            found.brings_distutils = "_distutils_hack" in folder.children
            continue
        for line in _lines(texts.get(node.path, b"")):
            if line.startswith(("import ", "import\t")):
                code.append((node, line))
            else:
                found.folders.append(posixpath.normpath(posixpath.join(folder.path, line)))
    _read_code(subject, folder, code, found)
    return found


def _lines(content: bytes) -> Iterator[str]:
    text = content.decode("utf-8-sig", "replace")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.rstrip()


def _read_code(
    subject: "Subject", folder: Node, code: list[tuple[Node, str]], found: PathFiles
) -> None:
    modules: dict[str, Node] = {}
    for node, line in code:
        if _NAMESPACE.search(line):
            continue
        match = _IMPORTED.match(line)
        name = match[1] if match else ""
        if name in _HARMLESS and not CHANGES_IMPORTS.search(line.encode()):
            continue
        file = folder.children.get(f"{name}.py")
        if file is None or file.kind is not FileKind.FILE:
            found.unknown.append(node.path)
        else:
            modules[name] = file
    texts = subject.contents(modules.values()) if modules else {}
    for node in modules.values():
        text = texts.get(node.path, b"")
        mapped = dict(_mapping(text.decode("utf-8", "replace")))
        found.mapped |= mapped
        if not mapped and CHANGES_IMPORTS.search(text):
            found.unknown.append(node.path)


def _mapping(text: str) -> Iterator[tuple[str, str]]:
    """Find which modules the finder of an editable install maps to which paths."""
    for match in _MAPPED.finditer(text):
        path = match["path"]
        yield match["name"], posixpath.dirname(path) if _is_package(path) else path
    for name in ("MAPPING", "NAMESPACES"):
        line = re.search(rf"^{name}(?:\s*:[^=\n]*)?\s*=\s*(\{{.*\}})\s*$", text, re.MULTILINE)
        for key, value in _literal(line[1]).items() if line else ():
            path = value[0] if isinstance(value, list) and value else value
            if isinstance(key, str) and isinstance(path, str):
                yield key, path


def _is_package(path: str) -> bool:
    return posixpath.basename(path) == "__init__.py"


def _literal(text: str) -> Mapping[object, object]:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
