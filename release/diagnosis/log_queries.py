"""The queries of logs, one function each: a boto3 client in, facts out."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from release.diagnosis.facts import AccessFacts, HookFacts, LogFacts
from release.diagnosis.log_lines import read_line, version_of

_MAX_LOG_PAGES: Final = 10
_MAX_LINES: Final = 500
# Objects and text cannot be asked for in one pattern. Emulators that know neither answer all lines:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
_OBJECTS: Final = (
    '{ ($.level = "ERROR") || ($.status >= 500) || ($.type = "platform.fault")'
    ' || ($.record.status = "error") || ($.record.status = "failure")'
    ' || ($.record.status = "timeout") }'
)
_TEXTS: Final = (
    '?"Error Type" ?"Task timed out" ?"Launch error" ?"Invalid task config" ?"Runtime exited"'
    ' ?"Process exited" ?"Status: timeout" ?"Status: error" ?"[ERROR]" ?"signal: killed"'
    ' ?"Error: " ?"Read-only file system" ?"read-only file system" ?"EROFS"'
)
_HOOK_LINE: Final = '{ $.message = "pre-traffic hook" }'
_OF_HOOK_LINE: Final = ("status", "step", "found", "version")
_THROTTLED: Final = "429"
_ACCESS_LINES: Final = '{ ($.status = "5*") || ($.status = "429") }'


def hook_line(logs: Any, group: str, deployment_id: str, minutes: int) -> HookFacts | None:
    """Return what the hook logged of that deployment; None when it logged nothing."""
    for event in reversed(_events(logs, group, minutes, _HOOK_LINE)):
        try:
            line = json.loads(event["message"])
        except ValueError:
            continue
        is_it = isinstance(line, dict) and line.get("message") == "pre-traffic hook"
        if is_it and line.get("deploymentId") == deployment_id:
            said = {name: str(line.get(name, "")) for name in _OF_HOOK_LINE}
            return HookFacts(said["status"], said["step"], said["found"], said["version"])
    return None


def failure_lines(logs: Any, group: str, minutes: int) -> LogFacts:
    """Return the lines of the last minutes that tell of a failure, oldest first."""
    events = {
        event.get("eventId", f"{event['timestamp']} {event['message']}"): event
        for pattern in (_OBJECTS, _TEXTS)
        for event in _events(logs, group, minutes, pattern)
    }
    lines = [
        line
        for event in sorted(events.values(), key=lambda event: int(event["timestamp"]))
        if (
            line := read_line(
                event["message"],
                time=_iso(event["timestamp"]),
                version=version_of(event.get("logStreamName", "")),
            )
        )
    ]
    return LogFacts(minutes, tuple(lines[-_MAX_LINES:]))


def access_lines(logs: Any, group: str, minutes: int) -> AccessFacts:
    """Return what the API's access log has of server errors and throttled requests.

    A 429 of the function itself is no throttled request: somebody tries codes.
    """
    statuses: Counter[str] = Counter()
    throttled: Counter[str] = Counter()
    errors: dict[str, None] = {}
    for event in _events(logs, group, minutes, _ACCESS_LINES):
        try:
            line = json.loads(event["message"])
        except ValueError:
            continue
        status = str(line.get("status", ""))
        if status == _THROTTLED and line.get("integrationStatus") == _THROTTLED:
            continue
        statuses[status] += 1
        if status == _THROTTLED and (route := line.get("route")):
            throttled[str(route)] += 1
        if (error := line.get("integrationError")) and error != "-":
            errors[str(error)] = None
    routes = tuple(route for route, _ in throttled.most_common())
    return AccessFacts(dict(statuses), tuple(errors), routes)


def _events(logs: Any, group: str, minutes: int, pattern: str) -> list[dict[str, Any]]:
    start = datetime.now(UTC) - timedelta(minutes=minutes)
    arguments: dict[str, Any] = {
        "logGroupName": group,
        "startTime": int(start.timestamp() * 1000),
        "filterPattern": pattern,
    }
    events: list[dict[str, Any]] = []
    for _ in range(_MAX_LOG_PAGES):
        page = logs.filter_log_events(**arguments)
        events.extend(page.get("events", []))
        if not (token := page.get("nextToken")):
            break
        arguments["nextToken"] = token
    return events


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")[:19] + "Z"
