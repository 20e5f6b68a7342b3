"""The module search path of the image's Python, in its order.

https://docs.python.org/3/library/sys_path_init.html and Lib/site.py of CPython.
"""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import FileKind
from imagecheck.start.python.interpreter import Interpreter
from imagecheck.start.python.path_files import CHANGES_IMPORTS, PathFiles, read_path_files

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_PACKAGES = ("site-packages", "dist-packages")
_VERSION = re.compile(r"python3\.(\d+)")
_MAX_FOLDERS = 1000
_SAFE_PATH_SINCE = 11
_CUSTOMIZERS = ("sitecustomize", "usercustomize")


@dataclass(frozen=True)
class SearchPath:
    """What ``sys.path`` is once Python has started."""

    interpreter: Interpreter
    entries: tuple[str, ...]
    """Folders and zip files, in order, whether they are there or not."""
    own: tuple[str, ...]
    """Those of the function's own code: the first folder, and those of PYTHONPATH."""
    site: tuple[str, ...]
    """The folders of installed packages."""
    mapped: dict[str, str]
    """Modules of editable installs that lie elsewhere."""
    unknown: tuple[str, ...]
    """Files with code that may add more, in ways that are not read here."""
    brings_distutils: bool

    @property
    def where(self) -> str:
        """The folders in which a user's module or package can lie, in words."""
        return ", ".join(dict.fromkeys((*self.own, *self.site)))


def search_path(subject: "Subject", interpreter: Interpreter, *, on_aws_base: bool) -> SearchPath:
    """Build it as CPython and, on AWS's base, its bootstrap do. Raises ImageReadError."""
    files = subject.files
    assert files  # noqa: S101  (nothing is started without files)
    given = [
        posixpath.normpath(posixpath.join(interpreter.workdir, path))
        for path in interpreter.variable("PYTHONPATH").split(":")
        if interpreter.variable("PYTHONPATH")
    ]
    first = _first(files, interpreter, on_aws_base=on_aws_base)
    site = [] if "S" in interpreter.options.flags else list(_site(files, interpreter))
    extra = list(_aws_site(interpreter)) if on_aws_base else []
    found = PathFiles()
    folders: list[str] = []
    for path in dict.fromkeys([*site, *extra]):
        folders.append(path)
        node = files.find(path)
        if node and node.kind is FileKind.DIRECTORY and node.is_readable():
            more = read_path_files(subject, node)
            folders += more.folders
            found.mapped |= more.mapped
            found.unknown += more.unknown
            found.brings_distutils |= more.brings_distutils
    library = interpreter.library
    standard = [library, posixpath.join(library, "lib-dynload")] if library else []
    entries = dict.fromkeys([*first, *given, *standard, *folders][:_MAX_FOLDERS])
    found.unknown += _customized(subject, files, [*first, *given, *folders])
    return SearchPath(
        interpreter=interpreter,
        entries=tuple(entries),
        own=tuple(dict.fromkeys([*first, *given])),
        site=tuple(dict.fromkeys(site)),
        mapped=found.mapped,
        unknown=tuple(found.unknown),
        brings_distutils=found.brings_distutils,
    )


def _first(files: FileSystem, interpreter: Interpreter, *, on_aws_base: bool) -> list[str]:
    """Return what comes before all else: a program's folder, or where it is started."""
    options = interpreter.options
    if on_aws_base:
        root = interpreter.environment.get("LAMBDA_TASK_ROOT", "/var/task")
        return [root, *_aws_site(interpreter)[1:], "/var/runtime"]
    is_safe = "P" in options.flags or interpreter.variable("PYTHONSAFEPATH")
    if "I" in options.flags or (is_safe and (interpreter.minor or 0) >= _SAFE_PATH_SINCE):
        return []
    if options.script and options.script != "-":
        script = files.find(posixpath.join(interpreter.workdir, options.script))
        if script and script.kind is FileKind.DIRECTORY:
            return [script.path]
        return [posixpath.dirname(script.path)] if script else []
    return [posixpath.normpath(interpreter.workdir)]


def _aws_site(interpreter: Interpreter) -> list[str]:
    """Return the folders whose ``.pth`` files AWS's bootstrap reads, in the order of looking.

    It leaves /opt/python out where PYTHONPATH is set: /var/runtime/bootstrap.py of its images.
    """
    root = interpreter.environment.get("LAMBDA_TASK_ROOT", "/var/task")
    if interpreter.environment.get("PYTHONPATH"):
        return [root]
    return [root, f"/opt/python/lib/python3.{interpreter.minor}/site-packages", "/opt/python"]


def _site(files: FileSystem, interpreter: Interpreter) -> Iterator[str]:
    """Yield the folders of installed packages: of the user, then of the interpreter."""
    minor, library = interpreter.minor, interpreter.library
    if not library and not interpreter.venv:
        yield from _all_site(files, minor)
        return
    if interpreter.venv:
        for name in ("lib", "lib64"):
            yield f"{interpreter.venv}/{name}/python3.{minor}/site-packages"
    if not interpreter.venv or interpreter.venv_sees_system:
        yield from _user_site(interpreter)
        yield from _system_site(files, interpreter)


def _user_site(interpreter: Interpreter) -> Iterator[str]:
    if interpreter.options.flags & {"s", "I"} or interpreter.variable("PYTHONNOUSERSITE"):
        return
    home = interpreter.environment.get("HOME", "")
    base = interpreter.variable("PYTHONUSERBASE") or (home and posixpath.join(home, ".local"))
    if base:
        yield posixpath.join(base, f"lib/python3.{interpreter.minor}/site-packages")


def _system_site(files: FileSystem, interpreter: Interpreter) -> Iterator[str]:
    prefix, minor = interpreter.prefix, interpreter.minor
    root = prefix.rstrip("/")
    if _is_debian(files, prefix):
        # https://wiki.debian.org/Python#Deviations_from_upstream
        yield f"{root}/local/lib/python3.{minor}/dist-packages"
        yield f"{root}/lib/python3/dist-packages"
        yield f"{root}/lib/python3.{minor}/dist-packages"
        return
    for name in ("lib", "lib64"):
        yield f"{root}/{name}/python3.{minor}/site-packages"
    if posixpath.basename(posixpath.dirname(interpreter.library)) == "lib64" and root == "/usr":
        # What pip installs on Fedora and Amazon Linux.
        for name in ("lib", "lib64"):
            yield f"{root}/local/{name}/python3.{minor}/site-packages"


def _is_debian(files: FileSystem, prefix: str) -> bool:
    if files.find(posixpath.join(prefix, "lib/python3/dist-packages")):
        return True
    marks = ("/etc/debian_version", "/var/lib/dpkg")
    return prefix == "/usr" and any(files.find(mark) for mark in marks)


def _all_site(files: FileSystem, minor: int | None) -> Iterator[str]:
    """Yield every folder of packages that can be of this version: no library was found."""
    for node in files.below("/"):
        if node.kind is FileKind.DIRECTORY and posixpath.basename(node.path) in _PACKAGES:
            versions = {int(version) for version in _VERSION.findall(node.path)}
            if minor is None or not versions or minor in versions:
                yield node.path


def _customized(subject: "Subject", files: FileSystem, folders: list[str]) -> list[str]:
    """Find ``sitecustomize`` and ``usercustomize`` that may add more."""
    paths = [f"{folder}/{name}.py" for folder in folders for name in _CUSTOMIZERS]
    nodes = [node for path in paths if (node := _file(files, path))]
    texts = subject.contents(nodes) if nodes else {}
    return [node.path for node in nodes if CHANGES_IMPORTS.search(texts.get(node.path, b""))]


def _file(files: FileSystem, path: str) -> Node | None:
    node = files.find(path)
    return node if node and node.kind is FileKind.FILE and node.is_readable() else None
