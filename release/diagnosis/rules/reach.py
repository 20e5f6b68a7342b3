"""Rules for requests that do not reach the function: it is missing, or the API may not call it."""

from collections.abc import Iterator
from typing import Final

from release.diagnosis.cause import Evidence, FailureCause, Remedy, seen
from release.diagnosis.facts import ABSENT, AccessFacts, StackFacts, StageFacts
from release.diagnosis.outcome import Answered, TurnedAway
from release.diagnosis.remedies import aws_command, compare_with_stack, release_command, roll_back
from release.diagnosis.rules.throttling import THROTTLED

_KNOWN_ELSEWHERE: Final = ("KMS", "cannot be assumed", "deleted image", "ImageAccessDenied")
_SERVER_ERROR_STATUS: Final = 500


def function_is_missing(facts: StageFacts) -> Iterator[FailureCause]:
    """The stack has no function any more, or the function no alias."""
    stage = facts.stage
    is_absent = facts.latest is ABSENT or facts.live is ABSENT
    if facts.latest is ABSENT:
        yield FailureCause(
            name="function-missing",
            title=f"The function {facts.function_name} does not exist",
            likelihood="certain",
            error_type="ResourceNotFoundException",
            evidence=(
                seen("GetFunction", f"there is no function {facts.function_name}"),
                *_of_stack(facts),
            ),
            fix=(
                compare_with_stack(stage, "it was deleted"),
                *_make_again(facts),
            ),
            explanation="CloudFormation does not check that the function still exists: another"
            " deployment of the same thing changes nothing.",
        )
    elif facts.alias is ABSENT or (is_absent and facts.alias is None):
        yield FailureCause(
            name="alias-missing",
            title="The function has no alias live, which is what the API calls",
            likelihood="certain",
            error_type="ResourceNotFoundException",
            evidence=(seen("GetAlias", "there is no alias live"), *_of_stack(facts)),
            fix=(
                Remedy(
                    "choose a version",
                    aws_command(
                        "lambda",
                        "list-versions-by-function",
                        stage,
                        function_name=facts.function_name,
                        query="Versions[].[Version,CodeSha256,LastModified]",
                    ),
                ),
                Remedy(
                    "create the alias again",
                    aws_command(
                        "lambda",
                        "create-alias",
                        stage,
                        function_name=facts.function_name,
                        name="live",
                    )
                    + " --function-version N",
                ),
            ),
        )


def lambda_turns_away(facts: StageFacts) -> Iterator[FailureCause]:
    """Any other refusal of the invocation."""
    away = facts.invocation
    if not isinstance(away, TurnedAway) or away.code in THROTTLED or "Rate" in away.message:
        return
    said = ": ".join(part for part in (away.code, away.message) if part)
    if any(known.lower() in said.lower() for known in _KNOWN_ELSEWHERE):
        return
    yield FailureCause(
        name="turned-away",
        title=f"Lambda does not run the function: {away.code}",
        likelihood="likely",
        error_type=away.code,
        evidence=(seen("invocation of live", said),),
        fix=(
            Remedy(
                "see its state",
                aws_command(
                    "lambda",
                    "get-function-configuration",
                    facts.stage,
                    function_name=facts.function_name,
                    qualifier="live",
                ),
            ),
            roll_back(facts.stage),
        ),
    )


def answers_something_else(facts: StageFacts) -> Iterator[FailureCause]:
    """An answer that is neither an error of the server nor the one of the contract."""
    answer = facts.invocation
    if facts.works_now or not isinstance(answer, Answered):
        return
    if answer.status >= _SERVER_ERROR_STATUS:
        return
    what = f"status {answer.status} {answer.code}".strip() if answer.status else "no HTTP response"
    yield FailureCause(
        name="wrong-answer",
        title="The function runs, but it is not the rooms function: its answer is another one",
        likelihood="certain",
        evidence=(
            seen("invocation of live", f"{what}; a room that is not there is 404 NOT_FOUND"),
        ),
        fix=(
            roll_back(facts.stage),
            Remedy("check CMD in lambda_src/Dockerfile"),
        ),
        explanation="The image starts; what it starts does not speak the contract.",
    )


def api_may_not_call(facts: StageFacts) -> Iterator[FailureCause]:
    """The permission is the alias's own: that of the function does not reach so far."""
    access = facts.access if isinstance(facts.access, AccessFacts) else AccessFacts()
    errors = tuple(error for error in access.errors if "permission" in error.lower())
    if facts.api_may_invoke is not False and not errors:
        return
    # Without an alias there is nothing that a permission could be of.
    if facts.alias is ABSENT or facts.live is ABSENT:
        return
    stage = facts.stage
    evidence = tuple(seen("access log of the API", error) for error in errors[:2])
    if facts.api_may_invoke is False:
        evidence += (
            seen("GetPolicy live", "no statement lets apigateway.amazonaws.com invoke the alias"),
        )
    # With the policy in place, the errors are from before it was.
    is_over = facts.api_may_invoke is True
    yield FailureCause(
        name="api-not-allowed",
        title="The API may not invoke the alias live"
        if not is_over
        else "The API was not allowed to invoke the alias live, and is allowed now",
        likelihood="possible" if is_over else "certain",
        evidence=evidence,
        fix=(
            Remedy(
                "allow it until the next deployment of the stack",
                aws_command(
                    "lambda",
                    "add-permission",
                    stage,
                    function_name=facts.function_name,
                    qualifier="live",
                    statement_id="api-by-hand",
                    action="lambda:InvokeFunction",
                    principal="apigateway.amazonaws.com",
                ),
            ),
            compare_with_stack(stage, "the permission was removed"),
        ),
        explanation="Clients see 500 from the API itself, and the function logs nothing: it is not"
        " called. Invoking it by hand works all the same.",
    )


def _make_again(facts: StageFacts) -> tuple[Remedy, ...]:
    """The image and the zip are two functions to the stack: it makes one, and forgets the other."""
    stage = facts.stage
    to_image = release_command("deploy", stage)
    to_zip = release_command("deploy", stage, "--packaging", "zip")
    other, same = (
        (to_image, to_zip)
        if facts.function_name == stage.names.zip_function
        else (to_zip, to_image)
    )
    return (
        Remedy("at once: let the stack create its other function, with the same code", other),
        Remedy("when that works, go back: this function is created again", same),
    )


def _of_stack(facts: StageFacts) -> tuple[Evidence, ...]:
    if not isinstance(facts.stack, StackFacts):
        return ()
    return (seen("CloudFormation", f"{facts.stage.names.rooms_stack}: {facts.stack.status}"),)
