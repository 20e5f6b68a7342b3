"""Whether the runtime client can load the handler: judged once, reported by several rules."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagecheck.image.filesystem import Node
from imagecheck.rule import Problem
from imagecheck.start.handler import Handler, Language, handler_of
from imagecheck.start.judged import Judged
from imagecheck.start.node.handler import node_handler
from imagecheck.start.other_languages import dotnet_handler, java_handler, ruby_handler
from imagecheck.start.python.handler import python_handler

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
        return Judgement(None, not_judged=(f"the handler: {handler}",))
    said = list(_LANGUAGES[handler.language](subject, handler))
    return Judgement(
        handler,
        tuple(one for one in said if isinstance(one, Judged)),
        tuple(one for one in said if isinstance(one, str)),
        tuple(one for one in said if isinstance(one, Node)),
    )
