"""Shells that are started: their options, and the script in a file or behind ``-c``."""

import posixpath
from typing import TYPE_CHECKING, Final, Literal

from imagecheck.image.elf import machine_name
from imagecheck.image.layer import FileKind
from imagecheck.start.shell.outcome import Ends, Runs, UnknownOutcome
from imagecheck.start.shell.run import MAX_SCRIPT_BYTES, run_script
from imagecheck.start.shell.state import UNKNOWN, State
from imagecheck.start.steps import NOT_FOUND, NOT_RUN, Ended, Next, Step, UnknownStep

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject

SHELLS: Final = {"ash", "bash", "dash", "ksh", "sh", "zsh"}
"""The names under which a shell is started."""
_NAME_PROGRAM: Final = "let the script run the program that asks for events, as its last command"


def after_shell(subject: "Subject", process: "Process", words: tuple[str, ...]) -> Step | None:
    """Return what a shell with a script starts; None where it has a file that cannot be read.

    Raises ImageReadError.
    """
    assert subject.files  # noqa: S101  (there is no process without files)
    flags, rest = _flags(words[1:])
    state = State(
        files=subject.files,
        read=lambda node: subject.contents([node])[node.path],
        budget=subject.budget,
        variables=dict(process.environment),
        exported=set(process.environment),
        arguments=[],
        workdir=posixpath.normpath(process.workdir),
        is_complete=subject.function.declared is not None,
        machine_name=machine_name(subject.function.machine),
        shell=_which(process, words[0]),
        program=process.chain.program,
        ends_on_error="e" in flags,
    )
    if "l" in flags or "login" in flags:
        # /etc/profile sets it anew.
        state.variables["PATH"] = UNKNOWN
    if not rest:
        return UnknownStep("a shell without a script")
    if "c" in flags:
        state.name, state.arguments = rest[1] if len(rest) > 1 else words[0], list(rest[2:])
        by = f"{words[0]} -c"
        return _after(run_script(rest[0], state), by)
    path = posixpath.join(process.workdir, rest[0])
    node = subject.files.find(path)
    if node is None or node.kind is not FileKind.FILE or not node.is_readable():
        # Which the rules of the entrypoint's file report.
        return None
    if node.entry.size > MAX_SCRIPT_BYTES or UNKNOWN in path:
        return UnknownStep(f"{rest[0]} is not a small script")
    state.name, state.arguments = rest[0], list(rest[1:])
    text = state.read(node)
    if b"\0" in text:
        return None
    return _after(run_script(text.decode("utf-8", "replace"), state), node.path)


def _which(process: "Process", called: str) -> Literal["bash", "busybox", "dash", ""]:
    """Tell shells from each other where they differ: called sh, bash is more like the others."""
    program = process.chain.program
    match posixpath.basename(program.path) if program else "":
        case "dash":
            return "dash"
        case "busybox":
            return "busybox"
        case "bash" if posixpath.basename(called) == "bash":
            return "bash"
    return ""


def _after(outcome: Runs | Ends | UnknownOutcome, by: str) -> Step:
    match outcome:
        case Runs(argv, environment, workdir):
            return Next(argv, environment, workdir, by, NOT_FOUND, NOT_RUN, runs_text=True)
        case Ends(status, why):
            # A script that ends without an error may be a stand-in for one that is not known.
            return Ended(status, why, by, "D4" if status else "", _NAME_PROGRAM)
        case UnknownOutcome(why):
            return UnknownStep(f"{by}: {why}")


def _flags(words: tuple[str, ...]) -> tuple[set[str], tuple[str, ...]]:
    flags: set[str] = set()
    at = 0
    while at < len(words) and words[at][:1] in ("-", "+") and len(words[at]) > 1:
        word = words[at]
        at += 1
        if word == "--":
            break
        if word.startswith("--"):
            flags.add(word[2:])
            continue
        if word[0] == "-":
            flags |= set(word[1:])
        if word.endswith("o"):
            if words[at : at + 1] == ("errexit",):
                flags.add("e")
            at += 1
    return flags, words[at:]
