"""Gathers the facts of a stage. Nothing is changed; the function is invoked once, harmlessly."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

from imagecheck.check import check_image
from imagecheck.function import Architecture, Function
from imagecheck.image.errors import CannotLookError
from imagecheck.image.image import Progress
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import InvalidReferenceError, RegistryReference, parse_reference
from imagecheck.terminal import step
from release.diagnosis import ask
from release.diagnosis.facts import (
    ABSENT,
    STOPPED_BY_ALARM,
    Absent,
    AliasFacts,
    Concurrency,
    DeploymentFacts,
    Facts,
    FunctionFacts,
    ImageFacts,
    StackFacts,
)
from release.diagnosis.invocation import invoke_live
from release.diagnosis.looking import Looking
from release.errors import CannotDoError
from release.project import Project, Stage
from stacks.image_lock import ImagePin, read_image_lock
from stacks.settings import ConfigurationError

_MARGIN_SECONDS: Final = 30
"""Over the function's timeout: an init, and a second one."""
_HOOK_MINUTES: Final = 60 * 24 * 14
_REFUSED: Final = ("Failed", "Stopped")
_ARCHITECTURES: Final[tuple[Architecture, ...]] = ("arm64", "x86_64")


class Clients(Protocol):
    """Makes boto3 clients. Raises CannotDoError."""

    def __call__(self, service: str, *, once_within: float | None = None) -> Any:
        """Return a client; one that asks only once, and waits so many seconds, where given."""
        ...


Check = Callable[[RegistryReference, Function], ImageFacts]
"""Checks an image. Raises CannotLookError."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked."""

    minutes: int
    """How far back the logs are read."""
    invoke: bool


def gather(
    project: Project, stage: Stage, question: Question, *, clients: Clients, check: Check
) -> Facts:
    """Return what is known.

    Raises:
        CannotDoError: nothing at all could be seen.

    """
    looking = Looking()
    pin = _pin(project, stage, looking)
    with step(f"asking AWS about {stage.name}"):
        facts = _ask(stage, pin, question, clients, looking)
    if not looking.has_seen_something:
        raise CannotDoError(_why_nothing(stage, looking))
    facts = _with_images(facts, check, looking)
    return replace(facts, unseen=looking.unseen)


def check_with(cache: LayerCache, progress: Progress) -> Check:
    """Return the check that `release check` makes."""

    def check(reference: RegistryReference, function: Function) -> ImageFacts:
        report = check_image(reference, function, cache=cache, progress=progress)
        name = str(reference).removeprefix("docker://")
        return ImageFacts(name, report.findings, report.subject.start.argv)

    return check


def function_of(facts: FunctionFacts) -> Function:
    """Return the function as `check` wants it."""
    override = facts.override
    return Function(
        "arm64" if facts.architecture == "arm64" else "x86_64",
        entrypoint=override.entrypoint if override else None,
        command=override.command if override else None,
        workdir=override.workdir if override else None,
        environment=facts.variables,
    )


def _ask(
    stage: Stage, pin: ImagePin | None, question: Question, clients: Clients, looking: Looking
) -> Facts:
    stack = _stack(stage, clients, looking)
    outputs = stack.outputs if isinstance(stack, StackFacts) else {}
    name = outputs.get("FunctionName") or (
        stage.names.function if stack is ABSENT else _name_of_function(stage, clients)
    )
    facts = Facts(
        stage=stage, function_name=name, asked_to_invoke=question.invoke, pin=pin, stack=stack
    )
    # One thread a service, and in it one question after the other.
    with ThreadPoolExecutor(thread_name_prefix="diagnose") as pool:
        parts = [
            pool.submit(part)
            for part in (
                partial(_of_lambda, facts, question, clients, looking),
                partial(_of_deployments, facts, clients, looking),
                partial(_of_logs, facts, question, clients, looking),
                partial(_of_metrics, facts, question, clients, looking),
                partial(_of_stores, facts, clients, looking),
            )
        ]
        for part in parts:
            facts = replace(facts, **part.result())
    return _of_refusal(facts, outputs, clients, looking)


def _stack(stage: Stage, clients: Clients, looking: Looking) -> StackFacts | Absent | None:
    name = stage.names.rooms_stack
    source = f"stack {name}"
    client = _client(clients, "cloudformation", source, looking)
    if client is None:
        return None
    found = looking.at(source, lambda: ask.stack(client, name) or ABSENT)
    if not isinstance(found, StackFacts):
        return found
    operation = looking.at(f"events of {source}", lambda: ask.stack_operation(client, name))
    failures, image = operation or ((), "")
    return replace(found, failures=failures, image=image)


def _name_of_function(stage: Stage, clients: Clients) -> str:
    """Return the name of the function where the stack does not say which of the two there is."""
    names = stage.names
    looking = Looking()
    client = _client(clients, "lambda", "Lambda", looking)
    if client is None:
        return names.function

    def found(name: str) -> FunctionFacts | Absent | None:
        return looking.maybe(name, lambda: ask.function(client, name, "$LATEST"))

    if found(names.function) is ABSENT and isinstance(found(names.zip_function), FunctionFacts):
        return names.zip_function
    return names.function


def _of_lambda(
    facts: Facts, question: Question, clients: Clients, looking: Looking
) -> dict[str, Any]:
    name = facts.function_name
    client = _client(clients, "lambda", "Lambda", looking)
    if client is None:
        return {}
    latest = looking.maybe("function $LATEST", lambda: ask.function(client, name, "$LATEST"))
    live = looking.maybe("function live", lambda: ask.function(client, name, "live"))
    alias = looking.maybe("alias live", lambda: ask.alias(client, name))
    found: dict[str, Any] = {"latest": latest, "live": live, "alias": alias}
    if latest is ABSENT:
        return found
    found["concurrency"] = _concurrency(client, name, looking)
    if isinstance(alias, AliasFacts) or isinstance(live, FunctionFacts):
        policy = looking.maybe("policy of live", lambda: ask.api_may_invoke(client, name))
        found["api_may_invoke"] = False if policy is ABSENT else policy
    if question.invoke and live is not ABSENT:
        found["invocation"] = _invocation(facts, live, clients, looking)
    return found


def _concurrency(client: Any, name: str, looking: Looking) -> Concurrency | None:
    reserved = looking.at("concurrency", lambda: ask.reserved_concurrency(client, name))
    account = looking.at("account's concurrency", lambda: ask.account_concurrency(client))
    if account is None:
        return reserved
    return Concurrency(reserved.reserved if reserved else None, *account)


def _invocation(
    facts: Facts, live: FunctionFacts | Absent | None, clients: Clients, looking: Looking
) -> Any:
    source = "invocation of live"
    timeout = (
        live.timeout_seconds
        if isinstance(live, FunctionFacts)
        else facts.stage.settings.timeout_seconds
    )
    seconds = timeout + _MARGIN_SECONDS
    client = _client(clients, "lambda", source, looking, once_within=seconds)
    if client is None:
        return None
    return looking.at(source, lambda: invoke_live(client, facts.function_name, seconds=seconds))


def _of_deployments(facts: Facts, clients: Clients, looking: Looking) -> dict[str, Any]:
    source = "deployments of CodeDeploy"
    if not isinstance(facts.stack, StackFacts):
        if facts.stack is None:
            looking.note(source, "only the stack knows how they are called")
        return {}
    outputs = facts.stack.outputs
    application, group = outputs.get("DeploymentApplication"), outputs.get("DeploymentGroup")
    if not application or not group:
        looking.note(source, "the stack has no outputs DeploymentApplication and DeploymentGroup")
        return {}
    client = _client(clients, "codedeploy", source, looking)
    if client is None:
        return {}
    newest = looking.maybe(source, lambda: ask.deployment(client, application, group) or ABSENT)
    if isinstance(newest, DeploymentFacts):
        one = newest
        with_steps = looking.at(
            f"steps of deployment {one.id}", lambda: ask.deployment_events(client, one)
        )
        newest = with_steps or one
        if newest.code == STOPPED_BY_ALARM:
            alarms = looking.at(
                "alarms of the deployment group", lambda: ask.alarms_of(client, application, group)
            )
            newest = replace(newest, alarms=alarms or ())
    return {"deployment": newest}


def _of_logs(
    facts: Facts, question: Question, clients: Clients, looking: Looking
) -> dict[str, Any]:
    client = _client(clients, "logs", "logs", looking)
    if client is None:
        return {}
    names = facts.stage.names
    lines = f"log of {facts.function_name}"
    access = "access log of the API"
    return {
        "logs": looking.maybe(
            lines,
            lambda: ask.failure_lines(
                client, f"/aws/lambda/{facts.function_name}", question.minutes
            ),
        ),
        "access": looking.maybe(
            access,
            lambda: ask.access_lines(
                client, f"/aws/vendedlogs/apis/{names.prefix}-rooms", question.minutes
            ),
        ),
    }


def _of_metrics(
    facts: Facts, question: Question, clients: Clients, looking: Looking
) -> dict[str, Any]:
    client = _client(clients, "cloudwatch", "alarms", looking)
    if client is None:
        return {}
    prefix = facts.stage.names.prefix
    return {
        "alarms": looking.at("alarms", lambda: ask.ringing_alarms(client, prefix)),
        "throttled": looking.at(
            "metric Throttles",
            lambda: ask.throttled_invocations(client, facts.function_name, question.minutes),
        ),
    }


def _of_stores(facts: Facts, clients: Clients, looking: Looking) -> dict[str, Any]:
    names = facts.stage.names
    found: dict[str, Any] = {}
    table, parameter = f"table {names.table}", f"parameter {names.release_parameter}"
    if (client := _client(clients, "dynamodb", table, looking)) is not None:
        found["table"] = looking.maybe(table, lambda: ask.table_status(client, names.table))
    if (ssm := _client(clients, "ssm", parameter, looking)) is not None:
        released = looking.maybe(
            parameter, lambda: ask.released_digest(ssm, names.release_parameter)
        )
        found["released"] = released if isinstance(released, str) else None
    return found


def _of_refusal(facts: Facts, outputs: Any, clients: Clients, looking: Looking) -> Facts:
    """Look at the version that the newest deployment brought, where it did not come to be live."""
    deployment = facts.deployment
    if not isinstance(deployment, DeploymentFacts) or deployment.status not in _REFUSED:
        return facts
    if facts.failed_before_shift:
        return facts
    if group := outputs.get("HookLogGroup"):
        source = "log of the pre-traffic hook"
        logs = _client(clients, "logs", source, looking)
        if logs is not None:
            line = looking.maybe(
                source, lambda: ask.hook_line(logs, group, deployment.id, _HOOK_MINUTES)
            )
            facts = replace(facts, hook=None if isinstance(line, Absent) else line)
    # Who may not see the steps of a deployment can still read the hook's log.
    version = deployment.version or (facts.hook.version if facts.hook else "")
    if version:
        facts = replace(facts, deployment=replace(deployment, version=version))
        client = _client(clients, "lambda", "the refused version", looking)
        if client is not None:
            refused = looking.maybe(
                f"function version {version}",
                lambda: ask.function(client, facts.function_name, version),
            )
            facts = replace(facts, refused=refused)
    return facts


def _with_images(facts: Facts, check: Check, looking: Looking) -> Facts:
    live = facts.live if isinstance(facts.live, FunctionFacts) else None
    if live and live.package == "Image":
        facts = replace(facts, live_image=_check(live.image, live, check, looking))
    other = _refused_image(facts, looking)
    if other:
        image, function = other
        facts = replace(facts, refused_image=_check(image, function, check, looking))
    return facts


def _refused_image(facts: Facts, looking: Looking) -> tuple[str, FunctionFacts] | None:
    """Return the image that was refused, and the function that it was for.

    CloudFormation takes the version back that it made, but its events say which image that had.
    What the lock file pins may be another one by now: the one before, or the next.
    """
    live = facts.live if isinstance(facts.live, FunctionFacts) else None
    stack = facts.stack if isinstance(facts.stack, StackFacts) else None
    if isinstance(facts.refused, FunctionFacts):
        image, function = facts.refused.image, facts.refused
    elif live is None or live.package != "Image" or stack is None or stack.is_settled:
        return None
    else:
        image, function = stack.image, live
        is_refused = isinstance(facts.deployment, DeploymentFacts) and (
            facts.deployment.status in _REFUSED
        )
        if (is_refused or facts.failed_before_shift) and not image:
            looking.note(
                "image of the refused version",
                "neither Lambda nor the events of the stack say which it was",
            )
    if not image or (live and image.partition("@")[2] == live.digest):
        return None
    return image, function


def _check(
    image: str, function: FunctionFacts, check: Check, looking: Looking
) -> ImageFacts | None:
    source = f"image {image.partition('@')[2][:19]}…"
    with step(f"reading the {source}"):
        try:
            reference = parse_reference(f"docker://{image}")
        except InvalidReferenceError:
            looking.note(source, "GetFunction names no image that could be looked for")
            return None
        assert isinstance(reference, RegistryReference)  # noqa: S101  (docker:// is one)
        return looking.at(source, lambda: _check_twice(reference, function, check))


def _check_twice(reference: RegistryReference, facts: FunctionFacts, check: Check) -> ImageFacts:
    """Check the image as it is configured, and tell what is the override's fault."""
    function = function_of(facts)
    configured = check(reference, function)
    if facts.override is None:
        return configured
    alone = check(reference, replace(function, entrypoint=None, command=None, workdir=None))
    return replace(
        configured,
        findings=tuple(one for one in configured.findings if one in alone.findings),
        by_override=tuple(one for one in configured.findings if one not in alone.findings),
    )


def _client(
    clients: Clients,
    service: str,
    source: str,
    looking: Looking,
    *,
    once_within: float | None = None,
) -> Any:
    try:
        return clients(service, once_within=once_within)
    except (CannotDoError, CannotLookError) as error:
        looking.note(source, str(error).removeprefix(f"{service}: "))
        return None


def _pin(project: Project, stage: Stage, looking: Looking) -> ImagePin | None:
    try:
        return read_image_lock(project.lock).get(stage.name)
    except ConfigurationError as error:
        looking.note("lock file", str(error))
        return None


def _why_nothing(stage: Stage, looking: Looking) -> str:
    """Say it once: without credentials or a network every source gives the same reason."""
    [(reason, _)] = Counter(unseen.why for unseen in looking.unseen).most_common(1)
    return f"nothing could be seen of {stage.name}: {reason}"
