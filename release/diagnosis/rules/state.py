"""Rules for the state that Lambda reports before it starts anything: image, key, role.

https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

from collections.abc import Iterator

from imagecheck.finding import Finding
from imagecheck.rule import INVALID_IMAGE
from release.diagnosis.cause import Evidence, FailureCause, Remedy, seen
from release.diagnosis.facts import FunctionFacts
from release.diagnosis.image_facts import ImageFacts
from release.diagnosis.outcome import Answered, Failed, TurnedAway
from release.diagnosis.remedies import (
    aws_command,
    compare_with_stack,
    push_again,
    release_command,
    restore_repository_policy,
    roll_back,
)
from release.diagnosis.rules.state_codes import remedies_for
from release.diagnosis.version_facts import VersionFacts, evidence_of
from release.registry.lifecycle import put_lifecycle_policy

_GONE = ("ImageDeleted",)
_DENIED = ("ImageAccessDenied",)
_KMS = ("KMS",)
_KEY = ("KMSKeyAccessDenied", "KMSKeyNotFound", "InvalidStateKMSKey", "DisabledKMSKey")
_BAD_STATES = ("Failed", "Inactive", "Pending", "Deactivating", "Deactivated", "Deleting")


def image_is_gone(version: VersionFacts) -> Iterator[FailureCause]:
    """A1, A4, A5: Lambda fetches images again from time to time, so a deletion shows days later."""
    said = _said(version, _GONE) + _turned_away(version, "deleted image", "does not exist")
    findings = _rules(version.image, ("A1", "A4"))
    if not said and not findings:
        return
    stage = version.stage
    digest = _digest(version)
    is_archived = any(finding.rule == "A4" for finding in findings)
    restore = (
        Remedy(
            "restore it from the archive",
            aws_command(
                "ecr",
                "update-image-storage-class",
                stage,
                repository_name=stage.names.repository,
                image_id=f"imageDigest={digest}",
                target_storage_class="STANDARD",
            ),
        )
        if is_archived
        else push_again(stage)
    )
    title = "The image was deleted from the repository"
    if is_archived and not said:
        title = "The image is archived in the repository"
    # What ran just now was there for Lambda, whatever came of it.
    if not said and version.is_live and isinstance(version.facts.invocation, Answered | Failed):
        title += "; it runs only as long as Lambda still has a copy"
    yield FailureCause(
        name="image-archived" if is_archived and not said else "image-deleted",
        title=title,
        likelihood="certain" if said else "likely",
        error_type="ImageDeleted",
        rule=findings[0].rule if findings else "A1",
        evidence=(*said, *_found(findings)),
        fix=(
            *((roll_back(stage),) if version.is_live else ()),
            restore,
            Remedy(
                "find what deleted it",
                aws_command(
                    "ecr", "get-lifecycle-policy", stage, repository_name=stage.names.repository
                ),
            ),
            Remedy(
                "if that was a rule made by hand, restore the stack's: a deployment of the stack"
                " sees no change",
                put_lifecycle_policy(stage),
            ),
        ),
        explanation="Lambda fetches images again from time to time, so this shows days or weeks"
        " later. A version keeps its digest: no restart helps.",
    )


def image_may_not_be_pulled(version: VersionFacts) -> Iterator[FailureCause]:
    """A3."""
    said = _said(version, _DENIED) + _turned_away(version, "ImageAccessDenied")
    findings = _rules(version.image, ("A3",))
    if not said and not findings:
        return
    stage = version.stage
    account = version.function.image.partition(".")[0] if version.function else ""
    yield FailureCause(
        name="image-access-denied",
        title="Lambda may not pull the image from the repository",
        likelihood="certain" if said else "likely",
        error_type="ImageAccessDenied",
        rule="A3",
        evidence=(*said, *_found(findings)),
        fix=(
            Remedy(
                "check what the repository's policy allows",
                aws_command(
                    "ecr", "get-repository-policy", stage, repository_name=stage.names.repository
                ),
            ),
            Remedy(
                "restore the stack's: where it was changed by hand, a deployment of the stack sees"
                " no change",
                restore_repository_policy(stage, account),
            ),
        ),
        explanation="The repository's policy has to let lambda.amazonaws.com do ecr:BatchGetImage"
        " and ecr:GetDownloadUrlForLayer; the function's own role has no part in it.",
    )


def key_cannot_be_used(version: VersionFacts) -> Iterator[FailureCause]:
    """The key of the variables or of the image."""
    said = _said(version, _KEY) + _turned_away(version, *_KMS)
    function = version.function
    if function and function.variables_error and "KMS" in function.variables_error:
        said += (seen(f"GetFunction {version.label}", function.variables_error),)
    if not said:
        return
    stage = version.stage
    key = (function and function.kms_key) or "KEY"
    yield FailureCause(
        name="kms-key",
        title="Lambda cannot use the KMS key",
        likelihood="certain",
        error_type="KMSAccessDeniedException",
        evidence=said,
        fix=(
            Remedy(
                "check that the key is Enabled",
                aws_command("kms", "describe-key", stage, key_id=key),
            ),
            Remedy(
                "if its deletion is scheduled, cancel that",
                aws_command("kms", "cancel-key-deletion", stage, key_id=key),
            ),
            Remedy(
                "allow kms:Decrypt on it to the function's role"
                + (f" {function.role}" if function and function.role else "")
                + ", in the key's policy too"
            ),
        ),
        explanation="It encrypts the function's variables, or the repository's images; the image"
        " itself is not at fault.",
    )


def role_cannot_be_assumed(version: VersionFacts) -> Iterator[FailureCause]:
    """A role that was deleted, or made again under the same name, is another one for Lambda."""
    said = _turned_away(version, "cannot be assumed") + _said(
        version, ("InsufficientRolePermissions",)
    )
    if not said:
        return
    role = (version.function and version.function.role) or "ROLE"
    yield FailureCause(
        name="role-not-assumable",
        title="Lambda cannot assume the function's role",
        likelihood="certain",
        error_type="AccessDeniedException",
        evidence=said,
        fix=(
            Remedy(
                "check that it exists and trusts lambda.amazonaws.com",
                f"aws iam get-role --role-name {role.rpartition('/')[2]}",
            ),
            compare_with_stack(version.stage, "it was changed"),
        ),
    )


def state_is_not_active(version: VersionFacts) -> Iterator[FailureCause]:
    """Every other state and reason code."""
    function = version.function
    if function is None or version.works_now:
        return
    known = (*_GONE, *_DENIED, *_KEY, "InsufficientRolePermissions", INVALID_IMAGE)
    if function.state in _BAD_STATES and function.state_code not in known:
        yield from _state(version, function)
    if function.update_status == "Failed" and function.update_code not in known:
        yield FailureCause(
            name="update-failed",
            title="The last change of the function failed",
            likelihood="likely",
            error_type=function.update_code,
            evidence=_update_evidence(version, function),
            fix=remedies_for(version, function.update_code),
        )


def _state(version: VersionFacts, function: FunctionFacts) -> Iterator[FailureCause]:
    stage = version.stage
    is_waiting = function.state in ("Inactive", "Pending")
    wait = Remedy(
        "wait: an invocation activates it, but fails itself",
        aws_command(
            "lambda",
            "wait function-active-v2",
            stage,
            function_name=version.facts.function_name,
        ),
    )
    again = Remedy("diagnose again", release_command("diagnose", stage))
    yield FailureCause(
        name=f"function-{function.state.lower()}",
        title={
            "Inactive": "The function is inactive: Lambda released its image after weeks of no use",
            "Pending": "The function is still being prepared",
        }.get(function.state, f"The function's state is {function.state}"),
        likelihood="likely" if is_waiting else "certain",
        error_type=function.state_code,
        evidence=(_state_evidence(version, function), *_turned_away(version, "")),
        fix=(wait, again)
        if is_waiting
        else (roll_back(stage), *remedies_for(version, function.state_code)),
        explanation="Lambda fetches and prepares the image again: seconds, up to minutes."
        if is_waiting
        else "",
    )


def _said(version: VersionFacts, codes: tuple[str, ...]) -> tuple[Evidence, ...]:
    """Return the state and the last update, where their reason is one of these codes."""
    function = version.function
    if function is None:
        return ()
    said: tuple[Evidence, ...] = ()
    if function.state_code in codes:
        said += (_state_evidence(version, function),)
    if function.update_code in codes:
        said += _update_evidence(version, function)
    return said + evidence_of(
        version.with_(lambda symptom: symptom.is_now and symptom.type in codes), 1
    )


def _state_evidence(version: VersionFacts, function: FunctionFacts) -> Evidence:
    said = ", ".join(
        part for part in (function.state, function.state_code, function.state_reason) if part
    )
    return seen(f"GetFunction {version.label}", f"State {said}")


def _update_evidence(version: VersionFacts, function: FunctionFacts) -> tuple[Evidence, ...]:
    said = ", ".join(
        part
        for part in (function.update_status, function.update_code, function.update_reason)
        if part
    )
    return (seen(f"GetFunction {version.label}", f"LastUpdateStatus {said}"),)


def _turned_away(version: VersionFacts, *texts: str) -> tuple[Evidence, ...]:
    """Return how Lambda turned the invocation of live away, where it says one of these."""
    away = version.facts.invocation
    if not version.is_live or not isinstance(away, TurnedAway):
        return ()
    said = ": ".join(part for part in (away.code, away.message) if part)
    if not any(text.lower() in said.lower() for text in texts):
        return ()
    return (seen("invocation of live", said),)


def _rules(image: ImageFacts | None, rules: tuple[str, ...]) -> tuple[Finding, ...]:
    return tuple(finding for finding in (image.errors if image else ()) if finding.rule in rules)


def _found(findings: tuple[Finding, ...]) -> tuple[Evidence, ...]:
    return tuple(seen(f"check, rule {finding.rule}", finding.found) for finding in findings)


def _digest(version: VersionFacts) -> str:
    return (
        (version.image and version.image.digest)
        or (version.function and version.function.digest)
        or ""
    )
