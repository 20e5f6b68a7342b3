"""The gathering of a stage's facts. Nothing is changed; live is invoked once, harmlessly."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from config.image_lock import ImagePin, read_image_lock
from config.project import Project, Stage
from config.settings import ConfigurationError
from imagecheck.errors import FailedError
from imagecheck.terminal import step
from release.diagnosis import log_queries, queries
from release.diagnosis.facts import (
    ABSENT,
    STOPPED_BY_ALARM,
    Absent,
    AliasFacts,
    Concurrency,
    DeploymentFacts,
    FunctionFacts,
    StackFacts,
    StageFacts,
)
from release.diagnosis.images import Check, with_images
from release.diagnosis.invocation import invoke_live
from release.diagnosis.refused_version import with_refusal
from release.diagnosis.source_reader import Clients, SourceReader

_MARGIN_SECONDS: Final = 30
"""Over the function's timeout: an init, and a second one."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """The options of a diagnosis."""

    minutes: int
    """How far back the logs are read."""
    invoke: bool


def gather(
    project: Project, stage: Stage, question: Question, *, clients: Clients, check: Check
) -> StageFacts:
    """Return the facts.

    Raises:
        FailedError: no source at all could be read.

    """
    reader = SourceReader(clients)
    pin = _pin(project, stage, reader)
    with step(f"asking AWS about {stage.name}"):
        facts = _ask(stage, pin, question, reader)
    if not reader.has_answer:
        raise _nothing_read(stage, reader)
    facts = with_images(facts, check, reader)
    return replace(facts, unread=reader.unread)


def _ask(
    stage: Stage, pin: ImagePin | None, question: Question, reader: SourceReader
) -> StageFacts:
    stack = _stack(stage, reader)
    outputs = stack.outputs if isinstance(stack, StackFacts) else {}
    name = outputs.get("FunctionName") or (
        stage.names.function if stack is ABSENT else _name_of_function(stage, reader.clients)
    )
    facts = StageFacts(
        stage=stage, function_name=name, asked_to_invoke=question.invoke, pin=pin, stack=stack
    )
    # One thread a service, and in it one question after the other.
    with ThreadPoolExecutor(thread_name_prefix="diagnose") as pool:
        parts = [
            pool.submit(part)
            for part in (
                partial(_of_lambda, facts, question, reader),
                partial(_of_deployments, facts, reader),
                partial(_of_logs, facts, question, reader),
                partial(_of_metrics, facts, question, reader),
                partial(_of_stores, facts, reader),
            )
        ]
        for part in parts:
            facts = replace(facts, **part.result())
    return with_refusal(facts, outputs, reader)


def _stack(stage: Stage, reader: SourceReader) -> StackFacts | Absent | None:
    name = stage.names.rooms_stack
    source = f"stack {name}"
    client = reader.client("cloudformation", source)
    if client is None:
        return None
    found = reader.read(source, lambda: queries.stack(client, name) or ABSENT)
    if not isinstance(found, StackFacts):
        return found
    operation = reader.read(f"events of {source}", lambda: queries.stack_operation(client, name))
    failures, image = operation or ((), "")
    return replace(found, failures=failures, image=image)


def _name_of_function(stage: Stage, clients: Clients) -> str:
    """Return the name of the function where the stack does not say which of the two there is."""
    names = stage.names
    reader = SourceReader(clients)
    client = reader.client("lambda", "Lambda")
    if client is None:
        return names.function

    def found(name: str) -> FunctionFacts | Absent | None:
        return reader.read_optional(name, lambda: queries.function(client, name, "$LATEST"))

    if found(names.function) is ABSENT and isinstance(found(names.zip_function), FunctionFacts):
        return names.zip_function
    return names.function


def _of_lambda(facts: StageFacts, question: Question, reader: SourceReader) -> dict[str, Any]:
    name = facts.function_name
    client = reader.client("lambda", "Lambda")
    if client is None:
        return {}
    latest = reader.read_optional(
        "function $LATEST", lambda: queries.function(client, name, "$LATEST")
    )
    live = reader.read_optional("function live", lambda: queries.function(client, name, "live"))
    alias = reader.read_optional("alias live", lambda: queries.alias(client, name))
    found: dict[str, Any] = {"latest": latest, "live": live, "alias": alias}
    if latest is ABSENT:
        return found
    found["concurrency"] = _concurrency(client, name, reader)
    if isinstance(alias, AliasFacts) or isinstance(live, FunctionFacts):
        policy = reader.read_optional(
            "policy of live", lambda: queries.api_may_invoke(client, name)
        )
        found["api_may_invoke"] = False if policy is ABSENT else policy
    if question.invoke and live is not ABSENT:
        found["invocation"] = _invocation(facts, live, reader)
    return found


def _concurrency(client: Any, name: str, reader: SourceReader) -> Concurrency | None:
    reserved = reader.read("concurrency", lambda: queries.reserved_concurrency(client, name))
    account = reader.read("account's concurrency", lambda: queries.account_concurrency(client))
    if account is None:
        return reserved
    return Concurrency(reserved.reserved if reserved else None, *account)


def _invocation(
    facts: StageFacts, live: FunctionFacts | Absent | None, reader: SourceReader
) -> Any:
    source = "invocation of live"
    timeout = (
        live.timeout_seconds
        if isinstance(live, FunctionFacts)
        else facts.stage.settings.timeout_seconds
    )
    seconds = timeout + _MARGIN_SECONDS
    client = reader.client("lambda", source, once_within=seconds)
    if client is None:
        return None
    return reader.read(source, lambda: invoke_live(client, facts.function_name, seconds=seconds))


def _of_deployments(facts: StageFacts, reader: SourceReader) -> dict[str, Any]:
    source = "deployments of CodeDeploy"
    if not isinstance(facts.stack, StackFacts):
        if facts.stack is None:
            reader.note(source, "only the stack has their names")
        return {}
    outputs = facts.stack.outputs
    application, group = outputs.get("DeploymentApplication"), outputs.get("DeploymentGroup")
    if not application or not group:
        if not facts.stack.is_made:
            return {}
        reader.note(source, "the stack has no outputs DeploymentApplication and DeploymentGroup")
        return {}
    client = reader.client("codedeploy", source)
    if client is None:
        return {}
    newest = reader.read_optional(
        source, lambda: queries.deployment(client, application, group) or ABSENT
    )
    if isinstance(newest, DeploymentFacts):
        one = newest
        with_steps = reader.read(
            f"steps of deployment {one.id}", lambda: queries.deployment_events(client, one)
        )
        newest = with_steps or one
        if newest.code == STOPPED_BY_ALARM:
            alarms = reader.read(
                "alarms of the deployment group",
                lambda: queries.alarms_of(client, application, group),
            )
            newest = replace(newest, alarms=alarms or ())
    return {"deployment": newest}


def _of_logs(facts: StageFacts, question: Question, reader: SourceReader) -> dict[str, Any]:
    client = reader.client("logs", "logs")
    if client is None:
        return {}
    names = facts.stage.names
    lines = f"log of {facts.function_name}"
    access = "access log of the API"
    return {
        "logs": reader.read_optional(
            lines,
            lambda: log_queries.failure_lines(
                client, f"/aws/lambda/{facts.function_name}", question.minutes
            ),
        ),
        "access": reader.read_optional(
            access,
            lambda: log_queries.access_lines(
                client, f"/aws/vendedlogs/apis/{names.prefix}-rooms", question.minutes
            ),
        ),
    }


def _of_metrics(facts: StageFacts, question: Question, reader: SourceReader) -> dict[str, Any]:
    client = reader.client("cloudwatch", "alarms")
    if client is None:
        return {}
    prefix = facts.stage.names.prefix
    return {
        "alarms": reader.read("alarms", lambda: queries.ringing_alarms(client, prefix)),
        "throttled": reader.read(
            "metric Throttles",
            lambda: queries.throttled_invocations(client, facts.function_name, question.minutes),
        ),
    }


def _of_stores(facts: StageFacts, reader: SourceReader) -> dict[str, Any]:
    names = facts.stage.names
    found: dict[str, Any] = {}
    table, parameter = f"table {names.table}", f"parameter {names.release_parameter}"
    if (client := reader.client("dynamodb", table)) is not None:
        found["table"] = reader.read_optional(
            table, lambda: queries.table_status(client, names.table)
        )
    if (ssm := reader.client("ssm", parameter)) is not None:
        released = reader.read_optional(
            parameter, lambda: queries.released_digest(ssm, names.release_parameter)
        )
        found["released"] = released if isinstance(released, str) else None
    return found


def _pin(project: Project, stage: Stage, reader: SourceReader) -> ImagePin | None:
    try:
        return read_image_lock(project.lock).get(stage.name)
    except ConfigurationError as error:
        reader.note("lock file", error.message, error.hint)
        return None


def _nothing_read(stage: Stage, reader: SourceReader) -> FailedError:
    """Name one reason: without credentials or a network every source gives the same."""
    [((why, hint), _)] = Counter((one.why, one.hint) for one in reader.unread).most_common(1)
    return FailedError(f"no source of {stage.name} could be read: {why}", hint=hint)
