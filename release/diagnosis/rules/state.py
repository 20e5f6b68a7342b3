"""What Lambda says of the function before it starts anything: its state and its reason codes.

https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

import json
from collections.abc import Iterator

from imagecheck.finding import Finding
from release.diagnosis.case import Case, evidence_of
from release.diagnosis.cause import (
    Cause,
    Evidence,
    Remedy,
    aws_command,
    compare_with_stack,
    release_command,
    roll_back,
    seen,
)
from release.diagnosis.facts import Answered, Failed, FunctionFacts, ImageFacts, TurnedAway
from release.project import Stage
from release.repository.lifecycle import put_lifecycle_policy

_GONE = ("ImageDeleted",)
_DENIED = ("ImageAccessDenied",)
_KMS = ("KMS",)
_KEY = ("KMSKeyAccessDenied", "KMSKeyNotFound", "InvalidStateKMSKey", "DisabledKMSKey")
_BAD_STATES = ("Failed", "Inactive", "Pending", "Deactivating", "Deactivated", "Deleting")


def image_is_gone(case: Case) -> Iterator[Cause]:
    """A1, A4, A5: Lambda fetches images again from time to time, so a deletion shows days later."""
    said = _said(case, _GONE) + _turned_away(case, "deleted image", "does not exist")
    findings = _rules(case.image, ("A1", "A4"))
    if not said and not findings:
        return
    stage = case.stage
    digest = _digest(case)
    is_archived = any(finding.rule == "A4" for finding in findings)
    restore = (
        Remedy(
            "take it out of the archive",
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
    if not said and case.is_live and isinstance(case.facts.invocation, Answered | Failed):
        title += "; it runs only as long as Lambda still holds it"
    yield Cause(
        name="image-archived" if is_archived and not said else "image-deleted",
        title=title,
        likelihood="certain" if said else "likely",
        error_type="ImageDeleted",
        rule=findings[0].rule if findings else "A1",
        evidence=(*said, *_found(findings)),
        fix=(
            *((roll_back(stage),) if case.is_live else ()),
            restore,
            Remedy(
                "find what took it away",
                aws_command(
                    "ecr", "get-lifecycle-policy", stage, repository_name=stage.names.repository
                ),
            ),
            Remedy(
                "if that was a rule made by hand, put back the stack's: a deployment of the stack"
                " sees no change",
                put_lifecycle_policy(stage),
            ),
        ),
        explanation="Lambda fetches images again from time to time, so this shows days or weeks"
        " later. A version keeps its digest: no restart helps.",
    )


def image_may_not_be_pulled(case: Case) -> Iterator[Cause]:
    """A3."""
    said = _said(case, _DENIED) + _turned_away(case, "ImageAccessDenied")
    findings = _rules(case.image, ("A3",))
    if not said and not findings:
        return
    stage = case.stage
    yield Cause(
        name="image-access-denied",
        title="Lambda may not pull the image from the repository",
        likelihood="certain" if said else "likely",
        error_type="ImageAccessDenied",
        rule="A3",
        evidence=(*said, *_found(findings)),
        fix=(
            Remedy(
                "see what the repository's policy allows",
                aws_command(
                    "ecr", "get-repository-policy", stage, repository_name=stage.names.repository
                ),
            ),
            Remedy(
                "put back the stack's: where it was changed by hand, a deployment of the stack sees"
                " no change",
                _set_repository_policy(case),
            ),
        ),
        explanation="The repository's policy has to let lambda.amazonaws.com do ecr:BatchGetImage"
        " and ecr:GetDownloadUrlForLayer; the function's own role has no part in it.",
    )


def key_cannot_be_used(case: Case) -> Iterator[Cause]:
    """The key of the variables or of the image."""
    said = _said(case, _KEY) + _turned_away(case, *_KMS)
    function = case.function
    if function and function.variables_error and "KMS" in function.variables_error:
        said += (seen(f"GetFunction {_which(case)}", function.variables_error),)
    if not said:
        return
    stage = case.stage
    key = (function and function.kms_key) or "KEY"
    yield Cause(
        name="kms-key",
        title="Lambda cannot use the KMS key",
        likelihood="certain",
        error_type="KMSAccessDeniedException",
        evidence=said,
        fix=(
            Remedy(
                "see that the key is Enabled", aws_command("kms", "describe-key", stage, key_id=key)
            ),
            Remedy(
                "if it is about to be deleted, keep it",
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


def role_cannot_be_assumed(case: Case) -> Iterator[Cause]:
    """A role that was deleted, or made again under the same name, is another one for Lambda."""
    said = _turned_away(case, "cannot be assumed") + _said(case, ("InsufficientRolePermissions",))
    if not said:
        return
    role = (case.function and case.function.role) or "ROLE"
    yield Cause(
        name="role-not-assumable",
        title="Lambda cannot take on the function's role",
        likelihood="certain",
        error_type="AccessDeniedException",
        evidence=said,
        fix=(
            Remedy(
                "see that it is there and trusts lambda.amazonaws.com",
                f"aws iam get-role --role-name {role.rpartition('/')[2]}",
            ),
            compare_with_stack(case.stage, "it was changed"),
        ),
    )


def state_is_not_active(case: Case) -> Iterator[Cause]:
    """Every other state and reason code."""
    function = case.function
    if function is None or case.works_now:
        return
    known = (*_GONE, *_DENIED, *_KEY, "InsufficientRolePermissions")
    if function.state in _BAD_STATES and function.state_code not in known:
        yield from _state(case, function)
    if function.update_status == "Failed" and function.update_code not in known:
        yield Cause(
            name="update-failed",
            title="The last change of the function failed",
            likelihood="likely",
            error_type=function.update_code,
            evidence=_update_evidence(case, function),
            fix=(Remedy("deploy again", release_command("deploy", case.stage)),),
        )


RULES = (
    image_is_gone,
    image_may_not_be_pulled,
    key_cannot_be_used,
    role_cannot_be_assumed,
    state_is_not_active,
)


def push_again(stage: Stage) -> Remedy:
    """A build is reproducible: the same commit gives the same digest."""
    return Remedy(
        "build the same bytes again, from the commit that the lock file names, and push them",
        f"{release_command('build', stage)} && {release_command('push', stage)}",
    )


def _set_repository_policy(case: Case) -> str:
    """Return the command that sets the policy which constructs/image_repository.py has."""
    stage = case.stage
    account = case.function.image.partition(".")[0] if case.function else ""
    function = (
        f"arn:aws:lambda:{stage.settings.region}:{account or 'ACCOUNT'}:function"
        f":{stage.names.function}"
    )
    statement = {
        "Sid": "LambdaPullsImages",
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Condition": {"ArnLike": {"aws:SourceArn": [function, f"{function}:*"]}},
    }
    return aws_command(
        "ecr",
        "set-repository-policy",
        stage,
        repository_name=stage.names.repository,
        policy_text=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def _state(case: Case, function: FunctionFacts) -> Iterator[Cause]:
    stage = case.stage
    is_waiting = function.state in ("Inactive", "Pending")
    wait = Remedy(
        "wait: an invocation wakes it, and is itself refused",
        aws_command(
            "lambda",
            "wait function-active-v2",
            stage,
            function_name=case.facts.function_name,
        ),
    )
    again = Remedy("look again", release_command("diagnose", stage))
    yield Cause(
        name=f"function-{function.state.lower()}",
        title={
            "Inactive": "The function sleeps: Lambda took its image down after weeks without use",
            "Pending": "The function is still being made ready",
        }.get(function.state, f"The function's state is {function.state}"),
        likelihood="likely" if is_waiting else "certain",
        error_type=function.state_code,
        evidence=(_state_evidence(case, function), *_turned_away(case, "")),
        fix=((wait, again) if is_waiting else (roll_back(stage),)),
        explanation="The image is fetched and made ready again: some seconds, up to minutes."
        if is_waiting
        else "",
    )


def _said(case: Case, codes: tuple[str, ...]) -> tuple[Evidence, ...]:
    """Return the state and the last update, where their reason is one of these codes."""
    function = case.function
    if function is None:
        return ()
    said: tuple[Evidence, ...] = ()
    if function.state_code in codes:
        said += (_state_evidence(case, function),)
    if function.update_code in codes:
        said += _update_evidence(case, function)
    return said + evidence_of(
        case.with_(lambda symptom: symptom.is_now and symptom.type in codes), 1
    )


def _state_evidence(case: Case, function: FunctionFacts) -> Evidence:
    said = ", ".join(
        part for part in (function.state, function.state_code, function.state_reason) if part
    )
    return seen(f"GetFunction {_which(case)}", f"State {said}")


def _update_evidence(case: Case, function: FunctionFacts) -> tuple[Evidence, ...]:
    said = ", ".join(
        part
        for part in (function.update_status, function.update_code, function.update_reason)
        if part
    )
    return (seen(f"GetFunction {_which(case)}", f"LastUpdateStatus {said}"),)


def _turned_away(case: Case, *texts: str) -> tuple[Evidence, ...]:
    """Return how Lambda turned the invocation of live away, where it says one of these."""
    away = case.facts.invocation
    if not case.is_live or not isinstance(away, TurnedAway):
        return ()
    said = ": ".join(part for part in (away.code, away.message) if part)
    if not any(text.lower() in said.lower() for text in texts):
        return ()
    return (seen("invocation of live", said),)


def _rules(image: ImageFacts | None, rules: tuple[str, ...]) -> tuple[Finding, ...]:
    return tuple(finding for finding in (image.errors if image else ()) if finding.rule in rules)


def _found(findings: tuple[Finding, ...]) -> tuple[Evidence, ...]:
    return tuple(seen(f"check, rule {finding.rule}", finding.found) for finding in findings)


def _digest(case: Case) -> str:
    return (case.image and case.image.digest) or (case.function and case.function.digest) or ""


def _which(case: Case) -> str:
    if case.is_live:
        return "live"
    return f"version {case.function.version}" if case.function else "version"
