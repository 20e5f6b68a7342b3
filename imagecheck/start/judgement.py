"""Whether what is started can load its code: judged once, reported by several rules."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagecheck.image.filesystem import Node
from imagecheck.rule import Problem
from imagecheck.start.handler import Handler, Language, handler_of
from imagecheck.start.interpreted import script_of, script_problems
from imagecheck.start.java_program import judge_java_program
from imagecheck.start.judged import Judged
from imagecheck.start.node.handler import node_handler
from imagecheck.start.node.program import judge_node_program
from imagecheck.start.other_languages import dotnet_handler, java_handler, ruby_handler
from imagecheck.start.python.handler import python_handler
from imagecheck.start.python.program import judge_python_program

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
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


_PROGRAMS: Mapping[str, Callable[["Subject", "Process"], Iterator[Judged | Node | str]]] = {
    "java": judge_java_program,
    "node": judge_node_program,
    "python": judge_python_program,
}
"""What stays where there is no runtime client, such as a web server behind AWS's adapter."""


def judge_handler(subject: "Subject") -> Judgement:
    """Judge the handler, or the program that stays in place of a runtime client.

    Raises CannotLookError when a file cannot be read.
    """
    handler = handler_of(subject)
    if isinstance(handler, str):
        return _judgement(None, [f"the handler: {handler}", *_of_program(subject)])
    return _judgement(handler, _LANGUAGES[handler.language](subject, handler))


def _of_program(subject: "Subject") -> Iterator[Judged | Node | str]:
    launch = subject.launch
    if not launch or launch.stopped or launch.ended or launch.last.chain.cause:
        return
    judge = _PROGRAMS.get(script_of(launch.last)[0])
    # A file that is missing or closed is reported by another rule.
    if judge and not any(script_problems(subject, launch.last)):
        yield from judge(subject, launch.last)


def _judgement(handler: Handler | None, yielded: Iterable[Judged | Node | str]) -> Judgement:
    said = list(yielded)
    return Judgement(
        handler,
        tuple(one for one in said if isinstance(one, Judged)),
        tuple(one for one in said if isinstance(one, str)),
        tuple(one for one in said if isinstance(one, Node)),
    )
