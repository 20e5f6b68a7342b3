"""The file that an interpreter is given: whether it is there and may be read."""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import FileKind
from imagecheck.rule import EXIT_ERROR
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.options import java_program, node_script, python_program
from imagecheck.start.search_path import search_folders
from imagecheck.start.shell.state import UNKNOWN

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject

_COPY = "copy it into the last stage of the Dockerfile, or name what is there"
AT_RUN_TIME = ("/tmp/", "/dev/", "/proc/", "/mnt/")  # noqa: S108
"""Folders whose files are made, or mounted, while the function runs."""
_SHELLS = {"bash", "busybox", "dash", "sh"}
_STATUSES = {"java": 1, "node": 1, "perl": 2, "php": 1, "python": 2, "ruby": 1}
"""What each ends with when its file is missing.

Tried with Java 17, Perl 5.36, PHP 8.2, Python 3.11 and Ruby 3.1 of Debian 12, and Node 20 to 24.
"""


def script_problems(subject: "Subject", process: "Process") -> Iterator[HandlerProblem]:
    """Report a file of an interpreter that is missing or closed."""
    if not subject.files:
        return
    file = process.file
    if file and not file.entry.elf and not file.is_readable():
        yield handler_problem(
            "C7",
            f"{file.path} has mode {file.entry.mode:04o}: it is started, but its interpreter may"
            " not read it",
            f"RUN chmod a+rx {file.path}",
            error_type=EXIT_ERROR,
        )
        return
    name, script = script_of(process)
    if not script or UNKNOWN in script:
        return
    path = posixpath.join(process.workdir, script)
    node = found_script(subject.files, name, path)
    if node is None:
        on_path = search_folders(process.environment)
        if path.startswith(AT_RUN_TIME) or (
            name == "sh" and _is_on(subject.files, script, on_path)
        ):
            return
        status = f"; exit status {_STATUSES[name]}" if name in _STATUSES else ""
        found = f"{process.argv[0]} is started, and there is no {path} for it{status}"
        yield handler_problem("C6", found, _COPY, error_type=EXIT_ERROR)
    elif not node.is_readable():
        found = f"{process.argv[0]} is started, and may not read {node.path}"
        found = f"{found} ({node.entry.mode:04o})"
        yield handler_problem("C7", found, f"RUN chmod a+r {node.path}", error_type=EXIT_ERROR)


def _is_on(files: FileSystem, name: str, folders: tuple[str, ...]) -> bool:
    """Whether a script of a shell is in a folder of PATH, where bash looks for it, too."""
    return "/" not in name and any(files.find(posixpath.join(f, name)) for f in folders)


def script_of(process: "Process") -> tuple[str, str]:  # noqa: PLR0911  (one for each)
    """Return the interpreter's name, without a version, and the file that it is given."""
    program = process.chain.program
    name = posixpath.basename(program.path).rstrip("0123456789.") if program else ""
    words = process.words
    if name in _SHELLS:
        # What a shell is given is followed where the launch is; here is what it is not given.
        rest = words[2:] if posixpath.basename(words[0]) == "busybox" else words[1:]
        is_script = rest and rest[0][:1] not in ("-", "+")
        is_shell = posixpath.basename(words[0]) in _SHELLS
        return ("sh", rest[0]) if is_script and is_shell else (name, "")
    match name:
        case "python" | "pypy":
            return "python", python_program(words)[1]
        case "node" | "nodejs":
            return "node", node_script(words)[0]
        case "java":
            return name, java_program(words)[1]
        case "perl" | "php" | "ruby" if len(words) > 1 and not words[1].startswith("-"):
            return name, words[1]
        case "dotnet" if len(words) > 1 and words[1].endswith(".dll"):
            return name, words[1]
    return name, ""


def found_script(files: FileSystem, name: str, path: str) -> Node | None:
    """Find a script as its interpreter does: Node adds an ending, or takes a folder's own."""
    node = files.find(path)
    if name != "node" or (node and node.kind is FileKind.FILE):
        return node
    for ending in (".js", ".json", ".node"):
        found = files.find(path + ending)
        if found and found.kind is FileKind.FILE:
            return found
    if node and (files.find(f"{path}/package.json") or files.find(f"{path}/index.js")):
        return node
    return None
