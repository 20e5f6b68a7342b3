"""Deployments that were refused: the causes why a new version got no traffic."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from release.deploy.stopped import names_in
from release.diagnosis.cause import (
    Evidence,
    FailureCause,
    Remedy,
    by_likelihood,
    lowered,
    seen,
)
from release.diagnosis.facts import (
    STOPPED_BY_ALARM,
    DeploymentFacts,
    FunctionFacts,
    StackFacts,
    StageFacts,
)
from release.diagnosis.hook import HOOK_STEP, hook_fault
from release.diagnosis.image_faults import AGAIN_THE_SAME, image_fault
from release.diagnosis.remedies import release_command
from release.diagnosis.rules.releases import stack_evidence
from release.diagnosis.version_facts import VersionFacts, evidence_of, refused_version

Judge = Callable[[VersionFacts], Iterable[FailureCause]]
"""Applies the version rules."""

_ROLLED_BACK: Final = (
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
)


def is_given_up(facts: StageFacts) -> bool:
    """Whether the refused version is no longer wanted, and live works.

    Then the lock file and the release parameter both name what is live. Where the refused version
    had that same image, it was refused for something else, which the lock file does not show.
    """
    live = facts.live if isinstance(facts.live, FunctionFacts) else None
    if live is None or not live.digest or not facts.works_now:
        return False
    brought = facts.refused.image if isinstance(facts.refused, FunctionFacts) else ""
    if not brought and isinstance(facts.stack, StackFacts):
        brought = facts.stack.image
    pinned = facts.pin.digest if facts.pin else ""
    return pinned == facts.released == live.digest != brought.partition("@")[2]


def note_of(refused: FailureCause) -> Evidence:
    """Return a refusal that is over, as one line."""
    return seen(
        "last deployment",
        f"{refused.title.rstrip('.')}. Lock file and release parameter name what is live, so this"
        " is over",
    )


def causes_of_refusal(facts: StageFacts, judge: Judge) -> Iterator[FailureCause]:
    """Yield why the new version got no traffic, and that live is unchanged."""
    deployment = facts.deployment if isinstance(facts.deployment, DeploymentFacts) else None
    status = facts.stack.status if isinstance(facts.stack, StackFacts) else ""
    is_settled = isinstance(facts.stack, StackFacts) and facts.stack.is_settled
    is_refused = bool(
        deployment and deployment.is_refused and not (is_settled or facts.failed_before_shift)
    )
    if not is_refused and status not in _ROLLED_BACK:
        return
    if not is_refused:
        # CodeDeploy's last deployment succeeded: this one did not get that far.
        deployment = None
    live = facts.live if isinstance(facts.live, FunctionFacts) else None
    if deployment and live and deployment.version == live.version:
        return
    evidence = (*_of_deployment(deployment), *stack_evidence(facts))
    by = _by(facts, deployment, status)
    still = f"live still answers from version {live.version}" if live else "live is unchanged"
    version = refused_version(facts, deployment.version if deployment else "")
    fault_of_hook = hook_fault(facts, deployment, evidence)
    if fault_of_hook:
        yield msgspec.structs.replace(
            fault_of_hook, explanation=f"{still}. {fault_of_hook.explanation}"
        )
        evidence = ()
    # Without symptoms of its own, the findings of `check` are all there is.
    reasons = sorted(judge(version), key=by_likelihood)
    for reason in reasons:
        yield msgspec.structs.replace(
            reason,
            name=f"refused-{reason.name}",
            title=f"The new version was {by}: {lowered(reason.title)}",
            evidence=(*reason.evidence, *evidence),
            fix=(*reason.fix, _next(version)),
            explanation=" ".join(part for part in (f"{still}.", reason.explanation) if part),
        )
        evidence = ()
    if reasons or fault_of_hook:
        return
    is_alarm = bool(deployment and deployment.code == STOPPED_BY_ALARM)
    first = (
        facts.stack.failures[0].reason
        if isinstance(facts.stack, StackFacts) and facts.stack.failures
        else ""
    )
    fault = image_fault(first) if first and not deployment else None
    yield FailureCause(
        name="deployment-stopped-by-alarm" if is_alarm else "deployment-refused",
        title=f"The new version was {by}" + (f": {first}" if first and not deployment else ""),
        likelihood="certain",
        error_type=deployment.code if deployment else status,
        evidence=(*evidence_of(version.symptoms), *evidence, *_alarms(deployment, facts)),
        rule=fault.rule if fault else "",
        fix=(
            *(_after_an_alarm(facts) if is_alarm else ()),
            *(fault.fix(facts.stage)[:1] if fault else ()),
            _next(version),
        ),
        explanation=f"{still}." + (f" {AGAIN_THE_SAME}" if fault else ""),
    )


def _alarms(deployment: DeploymentFacts | None, facts: StageFacts) -> tuple[Evidence, ...]:
    """Return the alarms that stopped it: its error names them, or its deployment group."""
    if deployment is None or deployment.code != STOPPED_BY_ALARM:
        return ()
    stopping = {*deployment.alarms, *names_in(deployment.message)}
    return tuple(
        seen("CloudWatch", f"{alarm.name} is in ALARM: {alarm.reason}")
        for alarm in facts.alarms or ()
        if alarm.name in stopping
    )


def _after_an_alarm(facts: StageFacts) -> tuple[Remedy, ...]:
    """Return what to do: one error stops a deployment, so the version may not be at fault."""
    return (
        Remedy(
            "read in the log what that version answered while it had part of the traffic",
            f"aws logs tail /aws/lambda/{facts.function_name} --since 1h"
            f" --filter-pattern '{{ $.status >= 500 }}' --region {facts.stage.region}",
        ),
        Remedy(
            "if that was temporary, deploy it again: a new version has its own alarms, and those of"
            " an old one do not stop it",
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


def _by(facts: StageFacts, deployment: DeploymentFacts | None, status: str) -> str:
    if deployment is None:
        return "rolled back" if status.startswith("UPDATE_ROLLBACK") else "refused"
    if deployment.code == STOPPED_BY_ALARM:
        return "stopped by an alarm"
    if deployment.status == "Stopped":
        return "stopped"
    failed = [step.name for step in deployment.events if step.status == "Failed"]
    if HOOK_STEP in failed or (facts.hook and facts.hook.status == "Failed"):
        return "refused by the pre-traffic hook"
    return "refused"


def _next(version: VersionFacts) -> Remedy:
    if version.is_zip:
        return Remedy(
            "correct it, and deploy again",
            release_command("deploy", version.stage, "--packaging", "zip"),
        )
    return Remedy(
        "correct it, and pass the gates again: build, check, boot, push, pin, deploy",
        release_command("build", version.stage),
    )
