"""Judges a program of Node that is no Lambda client: ``node server.js`` of the web adapter."""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.rule import EXIT_ERROR
from imagecheck.start.judged import Judged, judged
from imagecheck.start.node.graph import Walk, softened
from imagecheck.start.node.loader import Loader
from imagecheck.start.node.world import world_of_process

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.start.node.module_kind import How
    from imagecheck.subject import Subject

_WITH_VALUE: Final = frozenset(
    {
        "-r",
        "--require",
        "--import",
        "--loader",
        "--experimental-loader",
        "-C",
        "--conditions",
        "--env-file",
        "--max-old-space-size",
        "--title",
    }
)
_NO_FILE: Final = frozenset(
    {"-e", "--eval", "-p", "--print", "-c", "--check", "--test", "--run", "-i", "-v", "--version"}
)


def judge_node_program(subject: "Subject", process: "Process") -> Iterator[Judged | Node | str]:
    """Judge a program of Node: its file has to be there, and what that loads for certain.

    Yields what a judge of handlers yields. Problems are of rule E2, and of E4 for its code: the
    process ends with exit status 1.
    """
    name = program_file(process.argv)
    if not name or subject.files is None:
        yield f"{' '.join(process.argv)}: which file it runs is not known"
        return
    world = world_of_process(subject, process, is_on_aws_base=False)
    found = world.resolver.as_file(posixpath.join(process.workdir or "/", name))
    if found is None:
        path = posixpath.normpath(posixpath.join(process.workdir or "/", name))
        yield _ended(judged("E2", f"there is no {path}", "copy it into the image, or correct CMD"))
        return
    package = world.packages.scope_of(found.path)
    is_module = found.path.endswith(".mjs") or (
        found.path.endswith(".js") and package is not None and package.type == "module"
    )
    how: How = "import" if is_module else "require"
    walk = Walk(Loader(world))
    walk.from_module(found, how)
    has_hooks = walk.has_hooks or world.node.has_hooks
    for problem in walk.problems:
        ended = _ended(problem)
        yield softened(ended) if has_hooks and ended.rule == "E2" else ended
    yield from walk.loaded
    yield from dict.fromkeys(walk.unseen)


def program_file(argv: tuple[str, ...]) -> str:
    """Return the file that ``node …`` runs; empty where it runs none, or one not named."""
    arguments = iter(argv[1:])
    for argument in arguments:
        if argument in _WITH_VALUE:
            next(arguments, None)
        elif argument in _NO_FILE or argument == "-":
            return ""
        elif argument == "--":
            return next(arguments, "")
        elif not argument.startswith("-"):
            return argument if argument != "inspect" else ""
    return ""


def _ended(problem: Judged) -> Judged:
    """Make of what a runtime client would report what a process ends with."""
    said = problem.problem
    if said.severity == "warning":
        return problem
    return judged(problem.rule, f"{said.found}; exit status 1", said.fix, error_type=EXIT_ERROR)
