"""The kernel's steps from a path to machine code: ``execve`` on a program of an image.

The walk is that of ``execve`` in Linux: fs/exec.c, fs/binfmt_script.c and fs/binfmt_elf.c; errors
as in https://man7.org/linux/man-pages/man2/execve.2.html. Who starts it owns nothing in the image.
"""

import errno
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from imagecheck.image.filesystem import FileSystem, Node, PathError, Resolved
from imagecheck.image.layer import HEAD, FileKind

_MAX_INTERPRETERS = 5
_SHELL = "/bin/sh"
_ELF_HEADER_BYTES = 64
# Linux alone has it, and images are read on macOS and Windows, too.
_ELIBBAD = getattr(errno, "ELIBBAD", 80)
_BOM = b"\xef\xbb\xbf"
_FOREIGN = {
    b"!<arch>": "an ar archive",
    b"MZ": "a Windows program",
    b"\xcf\xfa\xed\xfe": "a macOS program",
    b"\xca\xfe\xba\xbe": "a macOS program",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip file",
}


def errno_name(number: int) -> str:
    """Return the kernel's name of an error, on every system."""
    return errno.errorcode.get(number, "ELIBBAD")


class ExecFault(StrEnum):
    """Why a program does not start."""

    MISSING = "file missing"
    NOT_ON_PATH = "nowhere on PATH"
    DANGLING_LINK = "dangling symlink"
    LINK_LOOP = "symlink loop"
    NESTED_SCRIPTS = "too many scripts that run each other"
    NOT_PERMITTED = "no permission"
    NOT_A_FILE = "not a file"
    NO_FORMAT = "no shebang"
    FOREIGN_FORMAT = "not a Linux program"
    CARRIAGE_RETURN = "carriage return in the shebang"
    INTERPRETER_MISSING = "interpreter missing"
    LOADER_MISSING = "loader missing"
    LOADER_BROKEN = "loader cannot be loaded"
    WRONG_MACHINE = "other CPU"
    CUT_OFF = "file cut off"


@dataclass(frozen=True)
class Chain:
    """The way from a program's path to the machine code that runs.

    It starts when ``cause`` is None. Otherwise ``errno`` is what ``execve`` returns, or None when
    what fails is not the start itself but the process right after it.
    """

    steps: tuple[str, ...] = ()
    """Each file on the way, and what it is."""
    cause: ExecFault | None = None
    errno: int | None = None
    at: str = ""
    """The path that the cause is about."""
    machine: int | None = None
    """The ``e_machine`` of the ELF file that ends the way, where it gets so far."""
    program: Node | None = None
    """The ELF file that runs."""

    def __str__(self) -> str:
        """The files, with arrows between them."""
        return " → ".join(self.steps)

    @property
    def end(self) -> str:
        """Why it does not start, with the kernel's name for it."""
        if self.errno is None:
            return f"{self.cause}; the process ends at once"
        return f"{self.cause} ({errno_name(self.errno)})"


def exec_chain(
    files: FileSystem, path: str, *, cwd: str, machine: int, environment: Mapping[str, str]
) -> Chain:
    """Walk from a path to the machine code that it starts, on a CPU with that ``e_machine``.

    ``environment`` gives the ``PATH`` on which ``/usr/bin/env`` looks.
    """
    chain = Chain()
    for _ in range(_MAX_INTERPRETERS):
        rest, for_env = _by_kernel(files, path, cwd, machine)
        if rest.cause is ExecFault.NO_FORMAT and has_execvp_of_glibc(chain.program):
            chain, path = replace(chain, steps=chain.steps + rest.steps), _SHELL
            continue
        # Once env runs, the start has succeeded, and what fails is a process.
        chain = _extended(chain, replace(rest, errno=None) if chain.steps else rest)
        if chain.cause or not for_env:
            return chain
        if _is_beyond_us(for_env):
            return chain
        path = _on_path(files, for_env, environment, cwd)
        if not path:
            return _extended(chain, _missing_command(for_env))
    return _extended(chain, Chain(cause=ExecFault.NESTED_SCRIPTS, at=path))


def has_execvp_of_glibc(program: Node | None) -> bool:
    """Whether it gives to a shell what has no shebang: execvp of glibc does, that of musl not."""
    elf = program.entry.elf if program else None
    return elf is not None and "ld-musl-" not in (elf.interpreter or "")


def _by_kernel(files: FileSystem, path: str, cwd: str, machine: int) -> tuple[Chain, str]:
    """Walk as one call of ``execve`` does; also return what ``env`` is told to run, if it is."""
    chain = Chain()
    argument = script = ""
    for interpreters in range(_MAX_INTERPRETERS + 1):
        found = _open(files, path, cwd, interpreters)
        if isinstance(found, Chain):
            return _extended(chain, found), ""
        node = found.node
        if node.entry.elf:
            run_by_env = argument if posixpath.basename(path) == "env" else ""
            run = _elf(files, node, path, cwd, machine)
            if argument.endswith("\r") and not run_by_env and not run.cause:
                # It is started, and takes the carriage return for an option or a file.
                run = replace(run, cause=ExecFault.CARRIAGE_RETURN, at=script)
            return _extended(chain, run), run_by_env
        shebang = _shebang(node.entry.head)
        if shebang is None:
            return _extended(chain, _no_format(node)), ""
        chain = replace(chain, steps=(*chain.steps, f"`{path}`"))
        script = path
        path, argument = shebang
        if not path:
            return _extended(chain, replace(_no_format(node), errno=errno.EACCES)), ""
    return _extended(chain, Chain(cause=ExecFault.NESTED_SCRIPTS, errno=errno.ELOOP, at=path)), ""


def _extended(chain: Chain, rest: Chain) -> Chain:
    return replace(rest, steps=chain.steps + rest.steps)


def _open(files: FileSystem, path: str, cwd: str, interpreters: int) -> Resolved | Chain:
    """Find the file as ``open_exec`` does, or say what keeps the kernel from it."""
    if interpreters and not path:
        # Here no name is the name of the root, unlike in a system call.
        return Chain(("a name of nothing",), ExecFault.NOT_A_FILE, errno.EACCES)
    try:
        found = files.resolve(path, cwd)
    except PathError as error:
        return Chain(
            steps=(f"`{_visible(path)}`",),
            cause=_cause_of(error, path, files, cwd, interpreters),
            errno=error.errno,
            at=_visible(error.at),
        )
    node = found.node
    if node.kind is not FileKind.FILE:
        return Chain((f"`{path}` is a {node.kind}",), ExecFault.NOT_A_FILE, errno.EACCES, node.path)
    if not node.is_executable():
        step = f"`{path}` has mode {node.entry.mode:04o}"
        return Chain((step,), ExecFault.NOT_PERMITTED, errno.EACCES, node.path)
    return found


def _cause_of(
    error: PathError, path: str, files: FileSystem, cwd: str, interpreters: int
) -> ExecFault:
    if path.endswith("\r"):
        return ExecFault.CARRIAGE_RETURN
    if error.errno == errno.EACCES:
        return ExecFault.NOT_PERMITTED
    if error.errno == errno.ELOOP:
        return ExecFault.LINK_LOOP
    if interpreters:
        return ExecFault.INTERPRETER_MISSING
    link = files.find_link(posixpath.join(cwd, path))
    return ExecFault.DANGLING_LINK if link and link.kind is FileKind.SYMLINK else ExecFault.MISSING


def _elf(files: FileSystem, node: Node, path: str, cwd: str, machine: int) -> Chain:
    elf = node.entry.elf
    assert elf  # noqa: S101  (asked by the caller)
    result = Chain((f"`{path}`",), machine=elf.machine, program=node)
    if elf.machine != machine:
        return replace(result, cause=ExecFault.WRONG_MACHINE, errno=errno.ENOEXEC, at=node.path)
    if not elf.loadable:
        return replace(result, cause=ExecFault.CUT_OFF, errno=errno.ENOEXEC, at=node.path)
    if elf.ends_in_interpreter:
        return replace(result, cause=ExecFault.CUT_OFF, errno=errno.EIO, at=node.path)
    if elf.interpreter is not None:
        result = _loader(files, result, elf.interpreter, cwd, machine)
    if not result.cause and not elf.complete:
        return replace(result, cause=ExecFault.CUT_OFF, at=node.path)
    return result


def _loader(files: FileSystem, result: Chain, path: str, cwd: str, machine: int) -> Chain:
    found = _open(files, path, cwd, interpreters=1)
    if isinstance(found, Chain):
        missing = found.cause is ExecFault.INTERPRETER_MISSING
        return replace(
            result,
            steps=result.steps + found.steps,
            cause=ExecFault.LOADER_MISSING if missing else found.cause,
            errno=found.errno,
            at=found.at,
        )
    entry = found.node.entry
    result = replace(result, steps=(*result.steps, f"loader `{path}`"))
    if entry.size < _ELF_HEADER_BYTES:
        return replace(result, cause=ExecFault.LOADER_BROKEN, errno=errno.EIO, at=entry.path)
    if not entry.elf or not entry.elf.loadable or entry.elf.machine != machine:
        result = replace(result, errno=_ELIBBAD, at=entry.path)
        if entry.elf and entry.elf.machine != machine:
            return replace(result, cause=ExecFault.WRONG_MACHINE, machine=entry.elf.machine)
        return replace(result, cause=ExecFault.LOADER_BROKEN)
    if not entry.elf.complete:
        return replace(result, cause=ExecFault.CUT_OFF, at=entry.path)
    return result


def _shebang(head: bytes) -> tuple[str, str] | None:
    """Return the interpreter and its argument, as load_script of the kernel finds them.

    An interpreter without a name is what a zero byte makes of it.
    """
    line, newline, _ = head.ljust(HEAD, b"\0").partition(b"\n")
    line = line.removeprefix(b"#!").lstrip(b" \t")
    is_cut = not newline and not any(end in line for end in b" \t\0")
    if not head.startswith(b"#!") or not line or is_cut:
        return None
    line = line.split(b"\0")[0].rstrip(b" \t")
    interpreter, _, argument = line.replace(b"\t", b" ").partition(b" ")
    return interpreter.decode("utf-8", "replace"), argument.strip(b" \t").decode("utf-8", "replace")


def _no_format(node: Node) -> Chain:
    head = node.entry.head
    for magic, name in _FOREIGN.items():
        if head.startswith(magic):
            step = f"`{node.path}` is {name}"
            return Chain((step,), ExecFault.FOREIGN_FORMAT, errno.ENOEXEC, node.path)
    text = (
        "is empty" if not node.entry.size
        else "starts with a byte order mark" if head.startswith(_BOM)
        else "has an empty or overlong shebang line" if head.startswith(b"#!")
        else f"starts with {_start(head)}, which is neither #! nor ELF"
    )  # fmt: skip
    return Chain((f"{node.path} {text}",), ExecFault.NO_FORMAT, errno.ENOEXEC, node.path)


def _missing_command(argument: str) -> Chain:
    cause = ExecFault.CARRIAGE_RETURN if argument.endswith("\r") else ExecFault.INTERPRETER_MISSING
    return Chain((f"`{_visible(argument)}`, which is nowhere on PATH",), cause, None, argument)


def _is_beyond_us(argument: str) -> bool:
    """Whether env does more with it than to look for a command: options, quotes, variables."""
    command = _command_of(argument)
    return command.startswith("-") or any(mark in command for mark in "\"'$=\\")


def _command_of(argument: str) -> str:
    """Take env's ``-S`` away, which splits the rest into words."""
    if not argument.startswith(("-S ", "-S\t")):
        return argument
    return " ".join(argument.removeprefix("-S").strip(" \t").split(maxsplit=1)[:1])


def _on_path(files: FileSystem, argument: str, environment: Mapping[str, str], cwd: str) -> str:
    """Find the command as env does; empty when it is on no folder of ``PATH``."""
    name = _command_of(argument)
    if "/" in name:
        return name
    for folder in environment.get("PATH", "/bin:/usr/bin").split(":"):
        # An empty or relative one counts from the working directory.
        path = posixpath.join(cwd, folder, name)
        node = files.find(path) if name else None
        if node and node.kind is FileKind.FILE and node.is_executable():
            return path
    return ""


def _start(head: bytes) -> str:
    return repr(head[:12].decode("latin-1"))


def _visible(text: str) -> str:
    return text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
