"""Problems of starting the entrypoint, and of the programs that it starts in its turn.

Judged once, reported by a rule for each cause: C2 and C6 to C13.
"""

import posixpath
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from imagecheck.image.elf import machine_name
from imagecheck.image.filesystem import Node
from imagecheck.image.layer import FileKind
from imagecheck.rule import EXIT_ERROR, Problem
from imagecheck.start.aws_base import AWS_BOOTSTRAP, WRONG_ARGUMENTS
from imagecheck.start.exec_chain import Chain, ExecFault, errno_name
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.interpreted import script_problems
from imagecheck.start.search_path import search_folders

if TYPE_CHECKING:
    from imagecheck.start.launch import Launch
    from imagecheck.subject import Subject

_RULES: Final = {
    ExecFault.MISSING: "C6",
    ExecFault.NOT_ON_PATH: "C6",
    ExecFault.NOT_PERMITTED: "C7",
    ExecFault.NOT_A_FILE: "C7",
    ExecFault.NO_FORMAT: "C8",
    ExecFault.CARRIAGE_RETURN: "C9",
    ExecFault.INTERPRETER_MISSING: "C10",
    ExecFault.NESTED_SCRIPTS: "C10",
    ExecFault.LOADER_MISSING: "C11",
    ExecFault.LOADER_BROKEN: "C11",
    ExecFault.FOREIGN_FORMAT: "C12",
    ExecFault.CUT_OFF: "C12",
    ExecFault.DANGLING_LINK: "C13",
    ExecFault.LINK_LOOP: "C13",
    ExecFault.WRONG_MACHINE: "C2",
}
_FIXES: Final = {
    ExecFault.MISSING: "copy it into the last stage of the Dockerfile, or name what is there",
    ExecFault.NOT_ON_PATH: "install {at} in the last stage of the Dockerfile, or name its path",
    ExecFault.NOT_PERMITTED: "RUN chmod a+rx {at}, and a+x for the folders above it",
    ExecFault.NOT_A_FILE: "name a program, not {at}",
    ExecFault.NO_FORMAT: "begin the file with #!/bin/sh (or its own interpreter), without a BOM",
    ExecFault.CARRIAGE_RETURN: "*.sh text eol=lf in .gitattributes, then: git add --renormalize .",
    ExecFault.INTERPRETER_MISSING: "install the interpreter in the image, or name another",
    ExecFault.NESTED_SCRIPTS: "let the shebang of {at} name a program in place of a script",
    ExecFault.LOADER_MISSING: "build on the base that it runs on: glibc and musl do not mix",
    ExecFault.LOADER_BROKEN: "take the loader from the base image: nothing should replace it",
    ExecFault.FOREIGN_FORMAT: "build the program for Linux and the function's CPU",
    ExecFault.CUT_OFF: "build again: the file {at} is not whole",
    ExecFault.DANGLING_LINK: "let ENTRYPOINT name the file itself",
    ExecFault.LINK_LOOP: "let ENTRYPOINT name the file itself",
    ExecFault.WRONG_MACHINE: "copy files of the function's CPU only: look at ADD and COPY --from",
}


def problems_of(subject: "Subject", rule: str) -> Iterator[Problem]:
    """Return what one rule reports. Raises ImageReadError when a script cannot be read."""
    found = _problems(subject)
    return (one.problem for one in found if one.rule == rule)


def _problems(subject: "Subject") -> Iterator[HandlerProblem]:
    chain = subject.chain
    launch = subject.launch
    if not chain or not launch:
        return
    if chain.cause:
        if chain.cause is not ExecFault.WRONG_MACHINE and not subject.names_a_handler:
            type_ = None if chain.errno else EXIT_ERROR
            fix = _FIXES[chain.cause].format(at=chain.at)
            yield handler_problem(
                _RULES[chain.cause], cannot(subject, chain), fix, error_type=type_
            )
        return
    yield from _behind(subject, launch)
    for process in launch.processes:
        if not process.chain.cause:
            yield from script_problems(subject, process)


def _behind(subject: "Subject", launch: "Launch") -> Iterator[HandlerProblem]:
    """What is wrong with a program that the entrypoint starts in its turn."""
    process = launch.failed
    if process and process.chain.cause and process.argv[0] != AWS_BOOTSTRAP:
        chain = process.chain
        status = f"; exit status {process.exit_status}" if process.exit_status else ""
        why = (
            searched(subject, chain.at, process.environment)
            if chain.cause is ExecFault.NOT_ON_PATH
            else f"{chain}: {chain.cause}"
        )
        yield handler_problem(
            _RULES[chain.cause or ExecFault.MISSING],
            f"{process.by} runs {process.argv[0]}: {why}{status}",
            _FIXES[chain.cause or ExecFault.MISSING].format(at=chain.at),
            error_type=EXIT_ERROR,
        )
    ended = launch.ended
    if any(process.argv[0] == AWS_BOOTSTRAP for process in launch.processes):
        # It ends for want of a handler or of a wrapper, which other rules report.
        return
    if ended and ended.rule and ended.status != WRONG_ARGUMENTS:
        status = f"; exit status {ended.status}" if ended.status else ""
        yield handler_problem(
            ended.rule, f"{ended.by}: {ended.why}{status}", ended.fix, error_type=EXIT_ERROR
        )


def cannot(subject: "Subject", chain: Chain) -> str:
    """Say what is on the way, and how the start ends."""
    if chain.cause is ExecFault.NOT_ON_PATH:
        return f"{searched(subject, chain.at, subject.start.environment)} (ENOENT)"
    if chain.cause is ExecFault.WRONG_MACHINE and chain.machine is not None:
        name = machine_name(chain.machine)
        architecture = subject.function.architecture
        number = f" ({errno_name(chain.errno)})" if chain.errno else ""
        return f"{chain} is {name} and cannot be executed on an {architecture} function{number}"
    return f"{chain}: {chain.end}"


def searched(subject: "Subject", name: str, environment: Mapping[str, str]) -> str:
    """Say where a program was looked for, and what is there that cannot be run."""
    folders = search_folders(environment)
    text = f"{name!r} is in none of the folders of PATH: {', '.join(folders)}"
    node = next(_refused(subject, name, folders), None)
    return f"{text} ({node.path} has mode {node.entry.mode:04o}, so it is none)" if node else text


def _refused(subject: "Subject", name: str, folders: tuple[str, ...]) -> Iterator[Node]:
    for folder in folders:
        node = subject.files.find(posixpath.join(folder, name)) if subject.files else None
        if node and node.kind is FileKind.FILE:
            yield node
