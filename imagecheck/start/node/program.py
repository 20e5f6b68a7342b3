"""Judges a program of Node that is not a Lambda client: ``node server.js`` of the web adapter."""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.rule import EXIT_ERROR
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.node.graph import Walk, softened
from imagecheck.start.node.loader import Loader
from imagecheck.start.node.node_context import node_context_of_process
from imagecheck.start.node.preload import missing_preloads
from imagecheck.start.options import node_script

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject


_KNOWN: Final = (".js", ".mjs", ".cjs")


def judge_node_program(
    subject: "Subject", process: "Process"
) -> Iterator[HandlerProblem | Node | str]:
    """Judge what a program of Node loads for certain. Raises ImageReadError.

    Yields what a judge of handlers yields. Problems are of rule E2, and of E4 for its code: the
    process ends with exit status 1. That its own file is missing, another rule reports.
    """
    if subject.files is None:
        return
    walk = Walk(Loader(node_context_of_process(subject, process, is_on_aws_base=False)))
    lacking = list(missing_preloads(walk, process))
    yield from lacking
    context = walk.loader.context
    name, _ = node_script(process.words)
    start = context.resolver.as_file(posixpath.join(process.workdir or "/", name)) if name else None
    if start and not lacking:
        # Of a file, Node decides by the same rules as of one that is imported, but for endings that
        # it does not know: those it takes for CommonJS.
        walk.from_module(start, "import" if start.path.endswith(_KNOWN) else "require")
    has_hooks = walk.has_hooks or context.node.has_hooks
    for problem in walk.problems:
        ended = _ended(problem)
        yield softened(ended) if has_hooks and ended.rule == "E2" else ended
    yield from walk.loaded
    yield from dict.fromkeys(walk.unseen)


def _ended(problem: HandlerProblem) -> HandlerProblem:
    """Make of what a runtime client would report what a process ends with."""
    said = problem.problem
    if said.severity == "warning":
        return problem
    return handler_problem(
        problem.rule, f"{said.found}; exit status 1", said.fix, error_type=EXIT_ERROR
    )
