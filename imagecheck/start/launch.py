"""The programs that run one after the other until the one that stays: wrappers are followed."""

import errno
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import FileKind
from imagecheck.start.aws_base import AWS_BOOTSTRAP, AWS_ENTRYPOINT, language_of_base
from imagecheck.start.exec_chain import Chain, ExecFault, has_execvp_of_glibc
from imagecheck.start.search_path import DEFAULT_PATH
from imagecheck.start.shell.state import UNKNOWN
from imagecheck.start.steps import Ended, Next, Step, UnknownStep
from imagecheck.start.wrappers import next_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_MAX_PROGRAMS: Final = 20


@dataclass(frozen=True)
class Process:
    """A program that is executed, and what it gets."""

    argv: tuple[str, ...]
    chain: Chain
    """The way from its name to machine code."""
    workdir: str
    environment: Mapping[str, str]
    by: str = "the entrypoint"
    """What executes it, in words."""
    exit_status: int | None = None
    """What the one that executes it ends with when it does not start; None: not known."""
    file: Node | None = None
    """The file that its name leads to: a script, where the program is one."""

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments of the machine code: for a script, those that its shebang adds too."""
        if self.file is None or self.file.entry.elf:
            return self.argv
        return (*_shebang_words(self.file), self.file.path, *self.argv[1:])


@dataclass(frozen=True)
class Launch:
    """The programs of a start. Where it ends early, ``stopped`` says why."""

    processes: tuple[Process, ...]
    """Each replaces the one before it, or runs it as its child; the first is the entrypoint."""
    stopped: str = ""
    """Why what the last one starts is not known; empty where it is the one that stays."""
    ended: Ended | None = None
    """How the last one ends by itself, where that is certain."""

    @property
    def last(self) -> Process:
        """What stays, as far as it is known."""
        return self.processes[-1]

    @property
    def failed(self) -> Process | None:
        """The program behind the entrypoint that cannot be started, if there is one."""
        return self.last if len(self.processes) > 1 and self.last.chain.cause else None


def launch_of(subject: "Subject") -> Launch | None:
    """Follow the start through the wrappers that are known; None where nothing is started.

    Raises ImageReadError when a script cannot be read.
    """
    if subject.chain is None or not subject.files:
        return None
    start = subject.start
    workdir = start.workdir or "/"
    process = Process(
        start.argv,
        subject.chain,
        workdir,
        start.environment,
        file=_file(subject, start.argv[0], workdir, start.environment),
    )
    processes = [process]
    while not processes[-1].chain.cause and len(processes) < _MAX_PROGRAMS:
        step = _next(subject, processes[-1])
        if step is None:
            return Launch(tuple(processes))
        if isinstance(step, UnknownStep):
            return Launch(tuple(processes), stopped=step.why)
        if isinstance(step, Ended):
            return Launch(tuple(processes), ended=step)
        following = _process(subject, step, processes[-1])
        if following is None:
            return Launch(tuple(processes), stopped=f"{step.by} finds it where only it knows")
        processes.append(following)
    is_endless = len(processes) == _MAX_PROGRAMS
    return Launch(
        tuple(processes), stopped="too many programs start each other" if is_endless else ""
    )


def _next(subject: "Subject", process: Process) -> Step | None:
    if process.argv[0] == AWS_BOOTSTRAP and subject.files and language_of_base(subject.files):
        # AWS's own, which is known: the handler is judged as its runtime client loads it.
        return None
    step = next_of(subject, process)
    if (
        isinstance(step, UnknownStep)
        and process.argv[0] == AWS_ENTRYPOINT
        and len(process.argv) == 2  # noqa: PLR2004
    ):
        environment = {**process.environment, "_HANDLER": process.argv[1]}
        return Next((AWS_BOOTSTRAP,), environment, process.workdir, AWS_ENTRYPOINT, 127, 126)
    return step


def _process(subject: "Subject", step: Next, before: Process) -> Process | None:
    """Look the program up as the one that executes it does; None where that is not known."""
    name = step.argv[0]
    path = located(subject, name, step.workdir, step.environment)
    if path is None:
        if step.may_be_elsewhere or UNKNOWN in step.environment.get("PATH", ""):
            return None
        chain = Chain((f"`{name}`",), ExecFault.NOT_ON_PATH, errno.ENOENT, name)
        return Process(
            step.argv, chain, step.workdir, step.environment, step.by, step.status_missing
        )
    assert subject.files  # noqa: S101  (there is no launch without files)
    chain = subject.walk(subject.files, path, step.workdir)
    if chain.cause is ExecFault.NO_FORMAT and (step.runs_text or _runs_text(before)):
        # As a script of the shell that starts it.
        chain = subject.walk(subject.files, "/bin/sh", step.workdir)
    is_missing = chain.errno in (errno.ENOENT, errno.ENOTDIR)
    return Process(
        step.argv,
        chain,
        step.workdir,
        step.environment,
        step.by,
        step.status_missing if is_missing else step.status_refused,
        _file(subject, path, step.workdir, step.environment),
    )


def _runs_text(process: Process) -> bool:
    """Whether a program has its C library start another: execvp of glibc asks a shell, too."""
    is_script = process.file is None or process.file.entry.elf is None
    return not is_script and has_execvp_of_glibc(process.chain.program)


def located(
    subject: "Subject", name: str, workdir: str, environment: Mapping[str, str]
) -> str | None:
    """Return where a name leads that is looked up as ``execvp`` does."""
    if "/" in name or not name:
        return name
    found: str | None = None
    for folder in (environment.get("PATH") or DEFAULT_PATH).split(":"):
        path = posixpath.join(workdir, folder, name)
        node = subject.files.find(path) if subject.files else None
        if node and node.kind is FileKind.FILE:
            if node.is_executable():
                return path
            found = found or path
    # One that may not be executed is tried too, and says so.
    return found


def _file(
    subject: "Subject", name: str, workdir: str, environment: Mapping[str, str]
) -> Node | None:
    path = located(subject, name, workdir, environment)
    return subject.files.find(posixpath.join(workdir, path)) if path and subject.files else None


def _shebang_words(file: Node) -> tuple[str, ...]:
    line = file.entry.head.split(b"\n")[0]
    if not line.startswith(b"#!"):
        return ("/bin/sh",)
    program, _, argument = line[2:].decode("utf-8", "replace").strip().partition(" ")
    argument = argument.strip()
    if posixpath.basename(program) == "env":
        return tuple(argument.removeprefix("-S").split())
    return (program, argument) if argument else (program,)
