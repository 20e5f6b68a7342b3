"""The diagnosis of a stage: its causes, the most likely one first, and the verdict."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from release.diagnosis.cause import Evidence, FailureCause, Remedy, by_likelihood
from release.diagnosis.facts import (
    FunctionFacts,
    StageFacts,
)
from release.diagnosis.outcome import Failed, Silent, TurnedAway
from release.diagnosis.refused import causes_of_refusal, is_given_up, note_of
from release.diagnosis.remedies import aws_command, roll_back
from release.diagnosis.rules import EARLY_RULES, STAGE_RULES, VERSION_RULES
from release.diagnosis.version_facts import VersionFacts, evidence_of, live_version

Verdict = Literal["works", "broken", "nothing found", "unknown"]


@dataclass(frozen=True)
class Diagnosis:
    """The causes of a stage's facts."""

    facts: StageFacts
    causes: tuple[FailureCause, ...]
    notes: tuple[Evidence, ...] = ()
    """Refusals that are over, and can still be seen."""

    @property
    def verdict(self) -> Verdict:
        """The answer in one word.

        ``works``: the invocation proved it, and there is no cause. ``broken``: there is a cause.
        ``nothing found``: there is none, and the function was not invoked, as asked. ``unknown``:
        there is none, and too few sources could be read to say that it works.
        """
        if self.causes:
            return "broken"
        if self.facts.works_now:
            return "works"
        seen_enough = isinstance(self.facts.live, FunctionFacts) and self.facts.logs is not None
        return "nothing found" if seen_enough and not self.facts.asked_to_invoke else "unknown"


def diagnose(facts: StageFacts) -> Diagnosis:
    """Apply every rule to the facts; those for what is live only where something can be."""
    if facts.has_nothing_live:
        return Diagnosis(facts, tuple(chain.from_iterable(rule(facts) for rule in EARLY_RULES)))
    live = live_version(facts)
    causes = [*_of_version(live), *chain.from_iterable(rule(facts) for rule in STAGE_RULES)]
    # A stuck stack does not explain what is wrong with live.
    if all(cause.likelihood == "possible" or cause.name == "stack-stuck" for cause in causes):
        causes.extend(_unexplained(live))
    refused = list(causes_of_refusal(facts, _of_version))
    notes: tuple[Evidence, ...] = ()
    if refused and is_given_up(facts):
        notes, refused = (note_of(refused[0]),), []
    # An alarm is a symptom of what is found beside it.
    if refused or any(cause.name != "alarm" for cause in causes):
        causes = [cause for cause in causes if cause.name != "alarm"]
    # The sorts are stable: within a likelihood, the order is that of the rules.
    causes.sort(key=by_likelihood)
    refused.sort(key=by_likelihood)
    if facts.fails_now:
        # Players are affected by what is wrong with live, and not by what was refused.
        return Diagnosis(facts, (*causes, *refused), notes)
    return Diagnosis(facts, tuple(sorted([*causes, *refused], key=by_likelihood)), notes)


def _of_version(version: VersionFacts) -> Iterator[FailureCause]:
    return chain.from_iterable(rule(version) for rule in VERSION_RULES)


def _unexplained(version: VersionFacts) -> Iterator[FailureCause]:
    """The invocation failed, and no rule has the cause: that is never a function that works."""
    facts = version.facts
    match facts.invocation:
        case Failed(type_, _):
            title = f"Invocations fail with {type_ or 'an error without a type'}"
        case TurnedAway(code):
            title = f"Lambda does not run the function: {code}"
        case Silent(seconds):
            title = f"The function does not answer within {seconds:.0f} s"
        case _:
            return
    yield FailureCause(
        name="unknown",
        title=f"{title}, and no rule explains it",
        likelihood="likely",
        error_type=facts.invocation.type if isinstance(facts.invocation, Failed) else "",
        evidence=evidence_of(version.symptoms),
        fix=(
            roll_back(facts.stage),
            Remedy(
                "read what else Lambda reports",
                aws_command(
                    "lambda",
                    "get-function",
                    facts.stage,
                    function_name=facts.function_name,
                    qualifier="live",
                ),
            ),
        ),
    )
