"""Rules for requests that Lambda or the API turns away because there are too many."""

from collections.abc import Iterator
from typing import Final

from release.diagnosis.cause import Evidence, FailureCause, Remedy, seen
from release.diagnosis.facts import AccessFacts, Concurrency, StageFacts
from release.diagnosis.outcome import TurnedAway
from release.diagnosis.remedies import aws_command, deploy_with, release_command

_TOO_MANY: Final = "429"
THROTTLED: Final = ("TooManyRequestsException", "EC2ThrottledException")
"""Lambda's error codes for too many invocations."""
_ONLY_FUNCTION_LIMIT: Final = "ReservedFunctionConcurrentInvocationLimitExceeded"


def throttled(facts: StageFacts) -> Iterator[FailureCause]:
    """Lambda turns invocations away: the function's own limit, or the account's."""
    away = facts.invocation
    refusal: tuple[Evidence, ...] = ()
    reason = ""
    if isinstance(away, TurnedAway) and (away.code in THROTTLED or "Rate" in away.message):
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
        yield FailureCause(
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
                        "raise it at once",
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
                        "to keep it: set reservedConcurrency in cdk.json,"
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
                    Remedy("check whether another function of the account uses it all"),
                )
            ),
        )


def api_throttles(facts: StageFacts) -> Iterator[FailureCause]:
    """429 in the access log: the API's own limit of a route, before the function."""
    if not isinstance(facts.access, AccessFacts):
        return
    count = facts.access.statuses.get(_TOO_MANY, 0)
    if not count:
        return
    settings = facts.stage.settings
    where = ", ".join(facts.access.throttled_routes)
    yield FailureCause(
        name="api-throttled",
        title="The API itself turns requests away, before the function",
        likelihood="likely" if facts.works_now else "possible",
        error_type="HTTP 429",
        evidence=(
            seen(
                "access log of the API",
                f"{count} requests were answered 429" + (f": {where}" if where else ""),
            ),
        ),
        fix=(
            *_limit_for_each_client(facts),
            deploy_with(
                facts.stage,
                f"requestsPerSecond (now {settings.requests_per_second}) and requestsBurst (now"
                f" {settings.requests_burst}) in cdk.json, context.stages.{facts.stage.name}",
            ),
        ),
        explanation="All clients together sent more than one route lets through, so everybody gets"
        " 429 on it for as long as that goes on. The other routes have limits of their own.",
    )


def _limit_for_each_client(facts: StageFacts) -> tuple[Remedy, ...]:
    """Return how to limit each client, where the stage does not: most often it is one alone."""
    if facts.stage.settings.requests_per_client is not None:
        return ()
    return (
        Remedy(
            "if it is one client: set requestsPerClient in cdk.json,"
            f" context.stages.{facts.stage.name}, then deploy the page",
            release_command("page", facts.stage),
        ),
    )


def _reserved_zero(facts: StageFacts, refusal: tuple[Evidence, ...]) -> FailureCause:
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
    return FailureCause(
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


def _of_metric(facts: StageFacts) -> tuple[Evidence, ...]:
    if not facts.throttled:
        return ()
    return (
        seen("CloudWatch, metric Throttles", f"{facts.throttled} invocations were turned away"),
    )
