"""Whether requests reach the function at all: it is there, it may run, and the API may call it."""

from collections.abc import Iterator
from typing import Final

from release.diagnosis.cause import (
    Cause,
    Evidence,
    Remedy,
    aws_command,
    compare_with_stack,
    deploy_with,
    release_command,
    roll_back,
    seen,
)
from release.diagnosis.facts import (
    ABSENT,
    AccessFacts,
    Answered,
    Concurrency,
    Facts,
    StackFacts,
    TurnedAway,
)

_TOO_MANY: Final = "429"
_THROTTLED: Final = ("TooManyRequestsException", "EC2ThrottledException")
_KNOWN_ELSEWHERE: Final = ("KMS", "cannot be assumed", "deleted image", "ImageAccessDenied")
_ONLY_FUNCTION_LIMIT: Final = "ReservedFunctionConcurrentInvocationLimitExceeded"
_SERVER_ERROR_STATUS: Final = 500


def never_deployed(facts: Facts) -> Iterator[Cause]:
    """There is no stack, or no function in it."""
    stage = facts.stage
    is_absent = facts.latest is ABSENT or facts.live is ABSENT
    if facts.stack is ABSENT and (facts.latest is ABSENT or facts.latest is None):
        yield Cause(
            name="never-deployed",
            title=f"Nothing is deployed for the stage {stage.name}",
            likelihood="certain",
            evidence=(
                seen("CloudFormation", f"there is no stack {stage.names.rooms_stack}"),
                *_no_function(facts),
            ),
            fix=(
                Remedy(
                    "first the repository",
                    f"npx cdk deploy -c stage={stage.name} {stage.names.registry_stack}",
                ),
                Remedy(
                    "the image: README, Deploy to AWS, has every step",
                    release_command("build", stage),
                ),
            ),
            explanation=f"Looked for in {stage.settings.region}, in the account of the credentials"
            " (aws sts get-caller-identity): another one has no such stack either.",
        )
    elif facts.latest is ABSENT:
        yield Cause(
            name="function-missing",
            title=f"The function {facts.function_name} is not there",
            likelihood="certain",
            error_type="ResourceNotFoundException",
            evidence=(*_no_function(facts), *_of_stack(facts)),
            fix=(
                compare_with_stack(stage, "it was deleted"),
                *_make_again(facts),
            ),
            explanation="CloudFormation does not look whether its function is still there: another"
            " deployment of the same thing changes nothing.",
        )
    elif facts.alias is ABSENT or (is_absent and facts.alias is None):
        yield Cause(
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
                    "make the alias again",
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


def throttled(facts: Facts) -> Iterator[Cause]:
    """Lambda turns invocations away: the function's own limit, or the account's."""
    away = facts.invocation
    refusal: tuple[Evidence, ...] = ()
    reason = ""
    if isinstance(away, TurnedAway) and (away.code in _THROTTLED or "Rate" in away.message):
        reason = away.reason
        said = ": ".join(part for part in (away.code, reason, away.message) if part)
        refusal = (seen("invocation of live", said),)
    concurrency = facts.concurrency
    reserved = concurrency.reserved if concurrency else None
    metric = _of_metric(facts)
    if reserved == 0:
        yield _reserved_zero(facts, (*refusal, *metric))
    elif refusal or metric:
        limits = _of_limits(concurrency) if concurrency else ()
        is_own = reserved is not None or reason == _ONLY_FUNCTION_LIMIT
        yield Cause(
            name="throttled",
            title="Lambda turns requests away: "
            + (
                "the function's reserved concurrency is used up"
                if is_own
                else "the account's concurrency is used up"
            ),
            likelihood="certain" if refusal else "likely",
            error_type="TooManyRequestsException",
            evidence=(*refusal, *metric, *limits),
            fix=(
                (
                    Remedy(
                        "more, at once",
                        aws_command(
                            "lambda",
                            "put-function-concurrency",
                            facts.stage,
                            function_name=facts.function_name,
                            reserved_concurrent_executions=str(2 * (reserved or 50)),
                        ),
                    ),
                    deploy_with(
                        facts.stage,
                        "to keep it: reservedConcurrency in cdk.json,"
                        f" context.stages.{facts.stage.name}",
                    ),
                )
                if is_own
                else (
                    Remedy(
                        "ask for a higher limit",
                        aws_command(
                            "service-quotas",
                            "request-service-quota-increase",
                            facts.stage,
                            service_code="lambda",
                            quota_code="L-B99A9384",
                            desired_value="1000",
                        ),
                    ),
                    Remedy("see whether another function of the account uses it all"),
                )
            ),
        )


def lambda_turns_away(facts: Facts) -> Iterator[Cause]:
    """Any other refusal of the invocation."""
    away = facts.invocation
    if not isinstance(away, TurnedAway) or away.code in _THROTTLED or "Rate" in away.message:
        return
    said = ": ".join(part for part in (away.code, away.message) if part)
    if any(known.lower() in said.lower() for known in _KNOWN_ELSEWHERE):
        return
    yield Cause(
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


def answers_something_else(facts: Facts) -> Iterator[Cause]:
    """An answer that is neither an error of the server nor the one of the contract."""
    answer = facts.invocation
    if facts.works_now or not isinstance(answer, Answered):
        return
    if answer.status >= _SERVER_ERROR_STATUS:
        return
    what = f"status {answer.status} {answer.code}".strip() if answer.status else "no HTTP response"
    yield Cause(
        name="wrong-answer",
        title="The function runs, but is not the rooms function: it answers another thing",
        likelihood="certain",
        evidence=(
            seen("invocation of live", f"{what}; a room that is not there is 404 NOT_FOUND"),
        ),
        fix=(
            roll_back(facts.stage),
            Remedy("see in lambda_src/Dockerfile what CMD names"),
        ),
        explanation="The image starts; what it starts does not speak the contract.",
    )


def api_may_not_call(facts: Facts) -> Iterator[Cause]:
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
    yield Cause(
        name="api-not-allowed",
        title="The API may not invoke the alias live"
        if not is_over
        else "The API could not invoke the alias live, and may by now",
        likelihood="possible" if is_over else "certain",
        evidence=evidence,
        fix=(
            Remedy(
                "allow it, until the stack has it again",
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


def api_throttles(facts: Facts) -> Iterator[Cause]:
    """429 in the access log: the API's own limit, before the function."""
    if not isinstance(facts.access, AccessFacts):
        return
    count = facts.access.statuses.get(_TOO_MANY, 0)
    if not count:
        return
    settings = facts.stage.settings
    yield Cause(
        name="api-throttled",
        title="The API itself turns requests away, before the function",
        likelihood="likely" if facts.works_now else "possible",
        error_type="HTTP 429",
        evidence=(seen("access log of the API", f"{count} requests were answered 429"),),
        fix=(
            deploy_with(
                facts.stage,
                f"requestsPerSecond (now {settings.requests_per_second}) and requestsBurst (now"
                f" {settings.requests_burst}) in cdk.json, context.stages.{facts.stage.name}",
            ),
        ),
    )


RULES = (
    never_deployed,
    throttled,
    lambda_turns_away,
    answers_something_else,
    api_may_not_call,
    api_throttles,
)


def _reserved_zero(facts: Facts, refusal: tuple[Evidence, ...]) -> Cause:
    stage = facts.stage
    wanted = stage.settings.reserved_concurrency
    name = facts.function_name
    repair = (
        aws_command(
            "lambda",
            "put-function-concurrency",
            stage,
            function_name=name,
            reserved_concurrent_executions=str(wanted),
        )
        if wanted
        else aws_command("lambda", "delete-function-concurrency", stage, function_name=name)
    )
    return Cause(
        name="concurrency-zero",
        title="The function is switched off: its reserved concurrency is 0",
        likelihood="certain",
        error_type="TooManyRequestsException",
        evidence=(seen("GetFunctionConcurrency", "ReservedConcurrentExecutions: 0"), *refusal),
        fix=(Remedy("switch it on again", repair),),
        explanation="This is what the console's button Throttle does. Nothing is wrong with the"
        " image or the code.",
    )


def _of_limits(concurrency: Concurrency) -> tuple[Evidence, ...]:
    def said(number: int | None, none: str) -> str:
        return none if number is None else str(number)

    return (
        seen(
            "GetFunctionConcurrency, GetAccountSettings",
            f"reserved for the function: {said(concurrency.reserved, 'nothing')}; the account's"
            f" limit: {said(concurrency.account, 'not seen')}, of it without reservation:"
            f" {said(concurrency.unreserved, 'not seen')}",
        ),
    )


def _of_metric(facts: Facts) -> tuple[Evidence, ...]:
    if not facts.throttled:
        return ()
    return (
        seen("CloudWatch, metric Throttles", f"{facts.throttled} invocations were turned away"),
    )


def _make_again(facts: Facts) -> tuple[Remedy, ...]:
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
        Remedy("at once: let the stack make its other function, of the same code", other),
        Remedy("back, when that works: this function is made anew", same),
    )


def _no_function(facts: Facts) -> tuple[Evidence, ...]:
    if facts.latest is not ABSENT:
        return ()
    return (seen("GetFunction", f"there is no function {facts.function_name}"),)


def _of_stack(facts: Facts) -> tuple[Evidence, ...]:
    if not isinstance(facts.stack, StackFacts):
        return ()
    return (seen("CloudFormation", f"{facts.stage.names.rooms_stack}: {facts.stack.status}"),)
