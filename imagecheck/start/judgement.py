"""Whether the runtime client can load the handler: judged once, reported by several rules."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagecheck.image.filesystem import Node
from imagecheck.rule import Problem
from imagecheck.start.handler import Handler, Language, handler_of, interpreter_name
from imagecheck.start.judged import Judged
from imagecheck.start.node.handler import node_handler
from imagecheck.start.node.program import judge_node_program
from imagecheck.start.other_languages import dotnet_handler, java_handler, ruby_handler
from imagecheck.start.python.handler import python_handler
from imagecheck.start.python.program import judge_python_program

if TYPE_CHECKING:
    from imagecheck.subject import Subject


@dataclass(frozen=True)
class Judgement:
    """What is known of the handler."""

    handler: Handler | None
    problems: tuple[Judged, ...] = ()
    not_judged: tuple[str, ...] = ()
    """What was not looked at, and why: clauses for the report, such as "the handler: …"."""
    loaded: tuple[Node, ...] = ()
    """The files that are loaded for certain on the way to the handler: modules, native ones too."""

    def of(self, rule: str) -> Iterator[Problem]:
        """The problems that a rule reports."""
        return (judged.problem for judged in self.problems if judged.rule == rule)


_LANGUAGES: Mapping[Language, Callable[["Subject", Handler], Iterator[Judged | Node | str]]] = {
    "python": python_handler,
    "node": node_handler,
    "java": java_handler,
    "dotnet": dotnet_handler,
    "ruby": ruby_handler,
}
"""Each yields problems, the files that are loaded, and clauses for what it did not look at."""


def judge_handler(subject: "Subject") -> Judgement:
    """Judge the handler. Raises CannotLookError when a file cannot be read."""
    handler = handler_of(subject)
    if isinstance(handler, str):
        return _judgement(None, [f"the handler: {handler}", *_program(subject)])
    return _judgement(handler, _LANGUAGES[handler.language](subject, handler))


def _judgement(handler: Handler | None, said: Iterable[Judged | Node | str]) -> Judgement:
    said = list(said)
    return Judgement(
        handler,
        tuple(one for one in said if isinstance(one, Judged)),
        tuple(one for one in said if isinstance(one, str)),
        tuple(one for one in said if isinstance(one, Node)),
    )


def _program(subject: "Subject") -> Iterator[Judged | Node | str]:
    """Judge a program that is no runtime client, such as the server behind the web adapter."""
    launch = subject.launch
    if not launch or launch.stopped or launch.ended or launch.last.chain.cause:
        return
    name = interpreter_name(launch.last)
    if name in ("node", "nodejs"):
        yield from judge_node_program(subject, launch.last)
    elif name.startswith(("python", "pypy")):
        yield from judge_python_program(subject, launch.last)
