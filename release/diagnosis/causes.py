"""From facts to a diagnosis: the causes, the most likely one first, and whether it works."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal

import msgspec

from release.deploy.stopped import names_in
from release.diagnosis.case import Case, evidence_of, live_case, refused_case
from release.diagnosis.cause import (
    LIKELIHOODS,
    Cause,
    Evidence,
    Remedy,
    aws_command,
    release_command,
    roll_back,
    seen,
)
from release.diagnosis.facts import (
    STOPPED_BY_ALARM,
    DeploymentFacts,
    Facts,
    Failed,
    FunctionFacts,
    Silent,
    StackFacts,
    TurnedAway,
)
from release.diagnosis.rules import CASE_RULES, STAGE_RULES
from release.diagnosis.rules.releases import stack_evidence

Verdict = Literal["works", "broken", "nothing found", "unknown"]

_REFUSED: Final = ("Failed", "Stopped")
_TAKEN_BACK: Final = (
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
)
_PROPER_NAMES: Final = ("DynamoDB", "ImageConfig", "Lambda", "Windows")


@dataclass(frozen=True)
class Diagnosis:
    """The answer."""

    facts: Facts
    causes: tuple[Cause, ...]
    notes: tuple[Evidence, ...] = ()
    """What is over, and still there to be seen."""

    @property
    def verdict(self) -> Verdict:
        """What it comes to.

        ``works``: it was seen to, and nothing is wrong. ``broken``: there is a cause. ``nothing
        found``: it was not to be invoked, and nothing is wrong with what could be seen.
        ``unknown``: too little could be seen to say so.
        """
        if self.causes:
            return "broken"
        if self.facts.works_now:
            return "works"
        seen_enough = isinstance(self.facts.live, FunctionFacts) and self.facts.logs is not None
        return "nothing found" if seen_enough and not self.facts.asked_to_invoke else "unknown"


def diagnose(facts: Facts) -> Diagnosis:
    """Hold every rule against the facts."""
    live = live_case(facts)
    causes = [*_of_case(live), *chain.from_iterable(rule(facts) for rule in STAGE_RULES)]
    # That no deployment can begin explains nothing of what is live.
    if all(cause.likelihood == "possible" or cause.name == "stack-stuck" for cause in causes):
        causes.extend(_unexplained(live))
    refused = list(_deployment_was_refused(facts))
    notes: tuple[Evidence, ...] = ()
    if refused and _is_given_up(facts):
        notes, refused = (_note(refused[0]),), []
    # An alarm is a symptom of what is found beside it.
    if refused or any(cause.name != "alarm" for cause in causes):
        causes = [cause for cause in causes if cause.name != "alarm"]
    # The sorts are stable: within a likelihood, the order is that of the rules.
    causes.sort(key=_by_likelihood)
    refused.sort(key=_by_likelihood)
    if facts.fails_now:
        # Players are affected by what is wrong with live, and not by what was refused.
        return Diagnosis(facts, (*causes, *refused), notes)
    return Diagnosis(facts, tuple(sorted([*causes, *refused], key=_by_likelihood)), notes)


def _by_likelihood(cause: Cause) -> int:
    return LIKELIHOODS.index(cause.likelihood)


def _is_given_up(facts: Facts) -> bool:
    """Whether nobody wants any more what was refused, and live works.

    The lock file and the release parameter both name what is live. Where the refused version had
    that same image it was refused for something else, which the lock file does not tell.
    """
    live = facts.live if isinstance(facts.live, FunctionFacts) else None
    if live is None or not live.digest or not facts.works_now:
        return False
    brought = facts.refused.image if isinstance(facts.refused, FunctionFacts) else ""
    if not brought and isinstance(facts.stack, StackFacts):
        brought = facts.stack.image
    pinned = facts.pin.digest if facts.pin else ""
    return pinned == facts.released == live.digest != brought.partition("@")[2]


def _note(refused: Cause) -> Evidence:
    return seen(
        "last deployment",
        f"{refused.title.rstrip('.')}. Lock file and release parameter name what is live, so this"
        " is over",
    )


def _of_case(case: Case) -> Iterator[Cause]:
    return chain.from_iterable(rule(case) for rule in CASE_RULES)


def _deployment_was_refused(facts: Facts) -> Iterator[Cause]:
    """The new version did not get any traffic; say why, and that live is as it was."""
    deployment = facts.deployment if isinstance(facts.deployment, DeploymentFacts) else None
    status = facts.stack.status if isinstance(facts.stack, StackFacts) else ""
    is_settled = isinstance(facts.stack, StackFacts) and facts.stack.is_settled
    is_refused = bool(
        deployment
        and deployment.status in _REFUSED
        and not (is_settled or facts.failed_before_shift)
    )
    if not is_refused and status not in _TAKEN_BACK:
        return
    if not is_refused:
        # The last deployment of CodeDeploy's went well: this one did not come so far.
        deployment = None
    live = facts.live if isinstance(facts.live, FunctionFacts) else None
    if deployment and live and deployment.version == live.version:
        return
    evidence = (*_of_deployment(deployment), *stack_evidence(facts))
    by = _by(facts, deployment, status)
    still = f"live still answers from version {live.version}" if live else "live is as it was"
    case = refused_case(facts, deployment.version if deployment else "")
    # With no symptom of its own, what `check` says of it is the best there is.
    reasons = sorted(_of_case(case), key=_by_likelihood)
    for reason in reasons:
        yield msgspec.structs.replace(
            reason,
            name=f"refused-{reason.name}",
            title=f"The new version was {by}: {_lower(reason.title)}",
            evidence=(*reason.evidence, *evidence),
            fix=(*reason.fix, _next(case)),
            explanation=" ".join(part for part in (f"{still}.", reason.explanation) if part),
        )
        evidence = ()
    if reasons:
        return
    is_alarm = bool(deployment and deployment.code == STOPPED_BY_ALARM)
    first = (
        facts.stack.failures[0].reason
        if isinstance(facts.stack, StackFacts) and facts.stack.failures
        else ""
    )
    yield Cause(
        name="deployment-stopped-by-alarm" if is_alarm else "deployment-refused",
        title=f"The new version was {by}" + (f": {first}" if first and not deployment else ""),
        likelihood="certain",
        error_type=deployment.code if deployment else status,
        evidence=(*evidence_of(case.symptoms), *evidence, *_alarms(deployment, facts)),
        fix=(*(_after_an_alarm(facts) if is_alarm else ()), _next(case)),
        explanation=f"{still}.",
    )


def _alarms(deployment: DeploymentFacts | None, facts: Facts) -> tuple[Evidence, ...]:
    """Return those that stopped it, of all that ring: its error names them, or its group."""
    if deployment is None or deployment.code != STOPPED_BY_ALARM:
        return ()
    stopping = {*deployment.alarms, *names_in(deployment.message)}
    return tuple(
        seen("CloudWatch", f"{alarm.name} is in ALARM: {alarm.reason}")
        for alarm in facts.alarms or ()
        if alarm.name in stopping
    )


def _after_an_alarm(facts: Facts) -> tuple[Remedy, ...]:
    """One error is enough for it, so it may have been none of the version's own."""
    return (
        Remedy(
            "see in the log what that version answered while it had a part of the traffic",
            f"aws logs tail /aws/lambda/{facts.function_name} --since 1h"
            f" --filter-pattern '{{ $.status >= 500 }}' --region {facts.stage.settings.region}",
        ),
        Remedy(
            "if that was a hiccup, deploy it again: a new version has alarms of its own, which no"
            " old one holds up",
            release_command("deploy", facts.stage),
        ),
    )


def _of_deployment(deployment: DeploymentFacts | None) -> tuple[Evidence, ...]:
    if deployment is None:
        return ()
    said = ", ".join(
        part for part in (deployment.status, deployment.code, deployment.message) if part
    )
    version = f" of version {deployment.version}" if deployment.version else ""
    events = tuple(
        seen(f"CodeDeploy {deployment.id}", f"{event.name}: {event.status} {event.message}".strip())
        for event in deployment.events
        if event.status not in ("Succeeded", "Skipped", "Pending")
    )
    return (seen(f"CodeDeploy {deployment.id}{version}", said), *events)


def _by(facts: Facts, deployment: DeploymentFacts | None, status: str) -> str:
    if deployment is None:
        return "taken back" if status.startswith("UPDATE_ROLLBACK") else "refused"
    if deployment.code == STOPPED_BY_ALARM:
        return "stopped by an alarm"
    if deployment.status == "Stopped":
        return "stopped"
    failed = [step.name for step in deployment.events if step.status == "Failed"]
    if "BeforeAllowTraffic" in failed or (facts.hook and facts.hook.status == "Failed"):
        return "refused by the pre-traffic hook"
    return "refused"


def _next(case: Case) -> Remedy:
    if case.is_zip:
        return Remedy(
            "mend it, and deploy again",
            release_command("deploy", case.stage, "--packaging", "zip"),
        )
    return Remedy(
        "mend it, and go through the gates again: check, boot, push, pin, deploy",
        release_command("build", case.stage),
    )


def _unexplained(case: Case) -> Iterator[Cause]:
    """The invocation failed, and no rule knows why: never is that a function that works."""
    facts = case.facts
    match facts.invocation:
        case Failed(type_, _):
            title = f"Invocations fail with {type_ or 'an error without a type'}"
        case TurnedAway(code):
            title = f"Lambda does not run the function: {code}"
        case Silent(seconds):
            title = f"The function does not answer within {seconds:.0f} s"
        case _:
            return
    yield Cause(
        name="unknown",
        title=f"{title}, and nothing that is known here explains it",
        likelihood="likely",
        error_type=facts.invocation.type if isinstance(facts.invocation, Failed) else "",
        evidence=evidence_of(case.symptoms),
        fix=(
            roll_back(facts.stage),
            Remedy(
                "see what else Lambda says of it",
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


def _lower(title: str) -> str:
    if title.startswith(_PROPER_NAMES):
        return title
    return title[:1].lower() + title[1:]
