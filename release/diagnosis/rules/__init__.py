"""The rules: from facts to causes. They ask nobody.

A rule of a case looks at one version, live or refused; a rule of the stage at everything.
"""

from collections.abc import Callable, Iterator

from release.diagnosis.case import Case
from release.diagnosis.cause import Cause
from release.diagnosis.facts import Facts
from release.diagnosis.rules import dependencies, reach, releases, running, start, state

CaseRule = Callable[[Case], Iterator[Cause]]
StageRule = Callable[[Facts], Iterator[Cause]]

CASE_RULES: tuple[CaseRule, ...] = (
    *state.RULES,
    *start.RULES,
    *running.RULES,
    *dependencies.RULES,
)
"""In the order in which a failure of one makes those of the next unlikely to be reached."""
STAGE_RULES: tuple[StageRule, ...] = (*reach.RULES, *releases.RULES)
