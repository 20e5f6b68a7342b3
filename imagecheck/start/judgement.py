"""The judgement of whether a start can load its code: made once, reported by several rules."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from imagecheck.image.filesystem import Node
from imagecheck.rule import Problem
from imagecheck.start.handler import Handler, Language, handler_of
from imagecheck.start.handler_problem import HandlerProblem
from imagecheck.start.interpreted import script_of, script_problems

if TYPE_CHECKING:
    from imagecheck.start.launch import Process
    from imagecheck.subject import Subject


@dataclass(frozen=True)
class Judgement:
    """What is known of the handler."""

    handler: Handler | None
    problems: tuple[HandlerProblem, ...] = ()
    not_checked: tuple[str, ...] = ()
    """What was not checked, and why: clauses for the report, such as "the handler: …"."""
    loaded: tuple[Node, ...] = ()
    """The files that are loaded for certain on the way to the handler: modules, native ones too."""

    def of(self, rule: str) -> Iterator[Problem]:
        """The problems that a rule reports."""
        return (judged.problem for judged in self.problems if judged.rule == rule)


_Said = Iterator[HandlerProblem | Node | str]


def _imported(module: str, name: str) -> Callable[..., _Said]:
    """Import a judge when it is asked: an image has one language, and each takes a while."""

    def judge(*arguments: Any) -> _Said:
        function: Callable[..., _Said] = getattr(import_module(f"imagecheck.start.{module}"), name)
        return function(*arguments)

    return judge


_LANGUAGES: Mapping[Language, Callable[["Subject", Handler], _Said]] = {
    "python": _imported("python.handler", "python_handler"),
    "node": _imported("node.handler", "node_handler"),
    "java": _imported("other_languages", "java_handler"),
    "dotnet": _imported("other_languages", "dotnet_handler"),
    "ruby": _imported("other_languages", "ruby_handler"),
}
"""Each yields problems, the files that are loaded, and clauses for what it did not look at."""


_PROGRAMS: Mapping[str, Callable[["Subject", "Process"], _Said]] = {
    "java": _imported("java_program", "judge_java_program"),
    "node": _imported("node.program", "judge_node_program"),
    "python": _imported("python.program", "judge_python_program"),
}
"""What stays where there is no runtime client, such as a web server behind AWS's adapter."""


def judge_handler(subject: "Subject") -> Judgement:
    """Judge the handler, or the program that stays in place of a runtime client.

    Raises ImageReadError when a file cannot be read.
    """
    handler = handler_of(subject)
    if isinstance(handler, str):
        return _judgement(None, [f"the handler: {handler}", *_of_program(subject)])
    return _judgement(handler, _LANGUAGES[handler.language](subject, handler))


def _of_program(subject: "Subject") -> _Said:
    launch = subject.launch
    if not launch or launch.stopped or launch.ended or launch.last.chain.cause:
        return
    judge = _PROGRAMS.get(script_of(launch.last)[0])
    # A file that is missing or closed is reported by another rule.
    if judge and not any(script_problems(subject, launch.last)):
        yield from judge(subject, launch.last)


def _judgement(
    handler: Handler | None, yielded: Iterable[HandlerProblem | Node | str]
) -> Judgement:
    said = list(yielded)
    return Judgement(
        handler,
        tuple(one for one in said if isinstance(one, HandlerProblem)),
        tuple(one for one in said if isinstance(one, str)),
        tuple(one for one in said if isinstance(one, Node)),
    )
