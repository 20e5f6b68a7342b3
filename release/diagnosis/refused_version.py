"""The gathering of what the newest deployment brought, where it did not come to be live."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from release.diagnosis import log_queries, queries
from release.diagnosis.facts import DeploymentFacts, HookFacts, LogFacts, StageFacts
from release.diagnosis.source_reader import SourceReader

_HOOK_MINUTES: Final = 60 * 24 * 14
_HOOK_LINES_MINUTES: Final = 60 * 24


def with_refusal(facts: StageFacts, outputs: Mapping[str, str], reader: SourceReader) -> StageFacts:
    """Add the version that the newest deployment brought, where it did not come to be live."""
    deployment = facts.deployment
    if not isinstance(deployment, DeploymentFacts) or not deployment.is_refused:
        return facts
    if facts.failed_before_shift:
        return facts
    if group := outputs.get("HookLogGroup"):
        facts = replace(facts, hook=_hook(group, deployment, reader))
    # The hook's log is there also for callers who may not read the steps of a deployment.
    version = deployment.version or (facts.hook.version if facts.hook else "")
    if version:
        facts = replace(facts, deployment=replace(deployment, version=version))
        client = reader.client("lambda", "the refused version")
        if client is not None:
            refused = reader.read_optional(
                f"function version {version}",
                lambda: queries.function(client, facts.function_name, version),
            )
            facts = replace(facts, refused=refused)
    return facts


def _hook(group: str, deployment: DeploymentFacts, reader: SourceReader) -> HookFacts | None:
    source = "log of the pre-traffic hook"
    logs = reader.client("logs", source)
    if logs is None:
        return None
    hook = reader.read_optional(
        source,
        lambda: log_queries.hook_line(logs, group, deployment.id, _HOOK_MINUTES) or HookFacts(""),
    )
    if not isinstance(hook, HookFacts) or hook.status == "Failed":
        return hook if isinstance(hook, HookFacts) else None
    lines = reader.read_optional(
        f"{source}, failures", lambda: log_queries.failure_lines(logs, group, _HOOK_LINES_MINUTES)
    )
    return replace(hook, lines=lines.lines if isinstance(lines, LogFacts) else ())
