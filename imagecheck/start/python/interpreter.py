"""The Python of a process: its version, where its library is, and the options it was started with.

How it finds its library: Modules/getpath.py and Lib/site.py of CPython, and
https://docs.python.org/3/library/sys_path_init.html.
"""

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagecheck.image.filesystem import FileSystem, Node, PathError
from imagecheck.image.layer import FileKind
from imagecheck.start.launch import Process

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_NAME = re.compile(r"python(?:3(?:\.(\d+)t?)?)?")
_LIBRARY = re.compile(r"python3\.(\d+)(t?)")
_SHARED = re.compile(r"libpython3\.(\d+)t?\.so.*")
_LIBRARY_FOLDERS = ("lib", "lib64")
_LANDMARKS = ("os.py", "os.pyc")
_WITH_ARGUMENT = "WX"


@dataclass(frozen=True)
class InterpreterOptions:
    """What a command line of Python says before and about its program."""

    flags: frozenset[str] = frozenset()
    """The letters, such as ``{"I", "s"}``."""
    module: str = ""
    """Behind ``-m``."""
    script: str = ""
    """The file that is run."""
    command: str = ""
    """Behind ``-c``."""
    arguments: tuple[str, ...] = ()
    """What the program gets."""


@dataclass(frozen=True)
class Interpreter:
    """A Python of the image."""

    program: str
    """The path by which it is started, such as ``/app/.venv/bin/python``."""
    options: InterpreterOptions
    workdir: str
    environment: Mapping[str, str]
    minor: int | None
    """The ``N`` of Python 3.N; None where the image does not tell."""
    prefix: str
    """The folder above ``lib``, such as ``/usr/local``; empty where no library was found."""
    library: str
    """The folder of its standard library; empty where none was found."""
    venv: str = ""
    """The virtual environment that it is of."""
    venv_sees_system: bool = False
    """Whether that includes the packages of the Python that it was made with."""
    is_musl: bool = False

    @property
    def name(self) -> str:
        """How a message calls it."""
        return f"{self.program} (Python 3.{self.minor})" if self.minor else self.program

    @property
    def ignores_environment(self) -> bool:
        """Whether variables such as PYTHONPATH count for nothing."""
        return bool(self.options.flags & {"E", "I"})

    def variable(self, name: str) -> str:
        """Return one of Python's own variables; empty where Python ignores it."""
        return "" if self.ignores_environment else self.environment.get(name, "")


def interpreter_of(subject: "Subject", process: Process) -> Interpreter | None:
    """Return the Python that a process runs; None when it runs another program.

    Raises ImageReadError when ``pyvenv.cfg`` cannot be read.
    """
    files = subject.files
    if files is None or process.chain.cause or not process.chain.program:
        return None
    words = _words(files, process)
    if not words:
        return None
    options = _options(words[1:])
    return _interpreter(subject, files, words[0], process, options)


def aws_interpreter(subject: "Subject", process: Process) -> Interpreter | None:
    """Return the Python that AWS's base image starts, in /var/lang. Raises ImageReadError."""
    files = subject.files
    folder = files.find("/var/lang/bin") if files else None
    names = [name for name in folder.children if _LIBRARY.fullmatch(name)] if folder else []
    if files is None or not names:
        return None
    program = f"/var/lang/bin/{max(names, key=len)}"
    options = InterpreterOptions(script="/var/runtime/bootstrap.py")
    return _interpreter(subject, files, program, process, options)


def _words(files: FileSystem, process: Process) -> list[str]:
    """Return the command line that the interpreter itself gets; nothing if it is not a Python."""
    words = list(process.argv)
    for _ in range(5):
        path = _located(files, words[0], process)
        node = files.find(path) if path else None
        if node is None or node.kind is not FileKind.FILE:
            return []
        head = node.entry.head
        if node.entry.elf or not head.startswith(b"#!"):
            named = (posixpath.basename(path), posixpath.basename(node.path))
            is_python = any(_NAME.fullmatch(name) or _LIBRARY.fullmatch(name) for name in named)
            return [path, *words[1:]] if node.entry.elf and is_python else []
        line = head.partition(b"\n")[0].removeprefix(b"#!").decode("utf-8", "replace").strip()
        interpreter, _, argument = line.partition(" ")
        before = [interpreter, argument.strip()] if argument.strip() else [interpreter]
        if posixpath.basename(interpreter) == "env" and argument:
            before = _split(argument)
        words = [*before, path, *words[1:]]
        if not before:
            return []
    return []


def _split(argument: str) -> list[str]:
    try:
        words = shlex.split(argument.strip().removeprefix("-S").removeprefix("--"))
    except ValueError:
        return []
    return [] if words and (words[0].startswith("-") or "=" in words[0]) else words


def _located(files: FileSystem, name: str, process: Process) -> str:
    """Return the path of a program: a name without a slash is looked up on PATH."""
    if "/" in name:
        return posixpath.normpath(posixpath.join(process.workdir or "/", name))
    for folder in process.environment.get("PATH", "/usr/local/bin:/bin:/usr/bin").split(":"):
        path = posixpath.join(process.workdir or "/", folder, name)
        node = files.find(path)
        if node and node.kind is FileKind.FILE and node.is_executable():
            return posixpath.normpath(path)
    return ""


def _options(words: Sequence[str]) -> InterpreterOptions:
    flags: set[str] = set()
    for number, word in enumerate(words):
        rest = tuple(words[number + 1 :])
        if word == "-" or not word.startswith("-"):
            return InterpreterOptions(frozenset(flags), script=word, arguments=rest)
        if word.startswith("--"):
            continue
        letters = word[1:]
        for at, letter in enumerate(letters):
            value = letters[at + 1 :]
            if letter in "mc":
                if not value:
                    value, rest = (rest[0], rest[1:]) if rest else ("", ())
                if letter == "m":
                    return InterpreterOptions(frozenset(flags), module=value, arguments=rest)
                return InterpreterOptions(frozenset(flags), command=value, arguments=rest)
            if letter in _WITH_ARGUMENT:
                if not value:
                    return _with(flags, _options(words[number + 2 :]))
                break
            flags.add(letter)
    return InterpreterOptions(frozenset(flags))


def _with(flags: set[str], options: InterpreterOptions) -> InterpreterOptions:
    return InterpreterOptions(
        options.flags | flags, options.module, options.script, options.command, options.arguments
    )


def _interpreter(
    subject: "Subject",
    files: FileSystem,
    program: str,
    process: Process,
    options: InterpreterOptions,
) -> Interpreter:
    venv, settings = _venv(subject, files, program)
    real = files.find(program)
    real_path = real.path if real else program
    elf = real.entry.elf if real else None
    homes = [posixpath.dirname(real_path), settings.get("home", "")]
    isolated = options.flags & {"E", "I"}
    python_home = "" if isolated else process.environment.get("PYTHONHOME", "").split(":")[0]
    named = _named_minor(files, program, real, settings)
    found = _library(files, [python_home] if python_home else _ups(homes), named)
    if found is None and not python_home:
        found = _only_library(files, named)
    prefix, library, minor = found or ("", "", named)
    return Interpreter(
        program=program,
        options=options,
        workdir=process.workdir or "/",
        environment=process.environment,
        minor=minor,
        prefix=prefix,
        library=library,
        venv=venv,
        venv_sees_system=settings.get("include-system-site-packages", "").lower() == "true",
        is_musl=bool(elf and "ld-musl-" in (elf.interpreter or "")),
    )


def _venv(subject: "Subject", files: FileSystem, program: str) -> tuple[str, dict[str, str]]:
    """Find ``pyvenv.cfg`` beside the program or above it, and what it says."""
    folder = posixpath.dirname(program)
    for place in (folder, posixpath.dirname(folder)):
        node = files.find(posixpath.join(place, "pyvenv.cfg"))
        if node and node.kind is FileKind.FILE and node.is_readable():
            text = subject.contents([node]).get(node.path, b"").decode("utf-8", "replace")
            pairs = (line.partition("=") for line in text.splitlines())
            return place, {key.strip().lower(): value.strip() for key, sep, value in pairs if sep}
    return "", {}


def _ups(folders: Sequence[str]) -> list[str]:
    """Return the folders and all above them, from the nearest on."""
    found: dict[str, None] = {}
    for folder in folders:
        here = folder
        while here and here != "/":
            found[here] = None
            here = posixpath.dirname(here)
        if folder:
            found["/"] = None
    return list(found)


def _named_minor(
    files: FileSystem, program: str, real: Node | None, settings: Mapping[str, str]
) -> int | None:
    paths = [program, *([real.path] if real else [])]
    with suppress(PathError):
        paths += [node.path for node in files.resolve(program).links]
    for path in paths:
        if (match := _NAME.fullmatch(posixpath.basename(path))) and match[1]:
            return int(match[1])
        if match := _LIBRARY.fullmatch(posixpath.basename(path)):
            return int(match[1])
    for needed in real.entry.elf.needed if real and real.entry.elf else ():
        if match := _SHARED.fullmatch(needed):
            return int(match[1])
    version = settings.get("version_info") or settings.get("version") or ""
    match = re.match(r"3\.(\d+)", version)
    return int(match[1]) if match else None


def _library(
    files: FileSystem, prefixes: Sequence[str], minor: int | None
) -> tuple[str, str, int] | None:
    """Find the standard library below one of these folders: prefix, library, minor."""
    for prefix in prefixes:
        for name in _LIBRARY_FOLDERS:
            parent = files.find(posixpath.join(prefix, name))
            folders = parent.children if parent else {}
            for folder in sorted(folders):
                match = _LIBRARY.fullmatch(folder)
                path = posixpath.join(prefix, name, folder)
                if not match or (minor is not None and int(match[1]) != minor):
                    continue
                library = files.find(path)
                if library and any(mark in library.children for mark in _LANDMARKS):
                    return prefix, path, int(match[1])
    return None


def _only_library(files: FileSystem, minor: int | None) -> tuple[str, str, int] | None:
    """Find the only standard library of the image: a prefix can be compiled in."""
    found: list[tuple[str, str, int]] = []
    for path in _landmarks(files):
        match = _LIBRARY.fullmatch(posixpath.basename(path))
        if match and minor in (None, int(match[1])):
            prefix = posixpath.dirname(posixpath.dirname(path))
            found.append((prefix, path, int(match[1])))
    return found[0] if len(found) == 1 else None


def _landmarks(files: FileSystem) -> Iterator[str]:
    for node in files.below("/"):
        if posixpath.basename(node.path) in _LANDMARKS and node.kind is FileKind.FILE:
            yield posixpath.dirname(node.path)
