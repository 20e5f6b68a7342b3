"""Log lines that tell of a failure, as Lambda, its runtime client and the function write them.

With ``LoggingFormat: JSON`` Lambda writes objects with ``type`` and ``record``:
https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html. As text it writes
``INIT_REPORT``, ``REPORT`` and ``RequestId: … Error: …``:
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html. Some lines are text in both.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

OUT_OF_MEMORY: Final = "Runtime.OutOfMemory"
TIMED_OUT: Final = "Sandbox.Timedout"
INIT_TIMED_OUT: Final = "Runtime.InitTimeout"
"""Our name for an init that Lambda ended: it gives it no type."""
SERVER_ERROR: Final = "HTTP 5xx"
"""Our name for an answer with status 500 or 503."""

_SERVER_ERROR_STATUS: Final = 500
_BAD: Final = ("error", "failure", "timeout")
_VERSION: Final = re.compile(r"\[(\$LATEST|\d+)\]")
_REPORT: Final = re.compile(
    r"^(?P<kind>INIT_REPORT|REPORT)\b.*?(?:\bPhase: (?P<phase>\w+))?.*?"
    r"\bStatus: (?P<status>\w+)(?:\s+Error Type: (?P<type>[\w.]+))?",
    re.DOTALL,
)
_SIZES: Final = re.compile(r"Memory Size: (?P<size>\d+) MB\s+Max Memory Used: (?P<used>\d+) MB")
_FAULT: Final = re.compile(
    r"(?:RequestId: [\w-]+ )?Error: (?P<message>[^\n]+)\n(?P<type>[A-Z]\w*\.\w+)\s*$"
)
_PROCESS: Final = re.compile(r"RequestId: [\w-]+ (?P<message>Process exited [^\n]+|Error: [^\n]+)")
_TIMED_OUT: Final = re.compile(r"Task timed out after (?P<seconds>[\d.]+) seconds")
_LAUNCH: Final = re.compile(r"(?P<message>(?:IMAGE\s+)?(?:Launch error|Invalid task config): .+)")
_READ_ONLY: Final = re.compile(
    r"^(?:panic: |thread '|Exception in thread |Unhandled exception|npm (?:ERR!|error)"
    r"|[\w./-]+: (?:cannot|can't|line \d)).*(?:read-only file ?system|EROFS)",
    re.IGNORECASE,
)
"""What a program prints that ends because it cannot write."""
_EXCEPTION: Final = re.compile(r"^\[ERROR\] (?P<type>[\w.]+)(?:: (?P<message>[^\n]*))?")


@dataclass(frozen=True)
class Line:
    """A line that tells of a failure."""

    error_type: str
    """Lambda's, the runtime client's or Python's name of it; one of ours above; or empty."""
    message: str
    time: str = ""
    """ISO 8601, UTC; empty where the line has none."""
    version: str = ""
    """Of the function that wrote it; empty where that is not known."""
    cause: str = ""
    """Of an answer with status 500 or 503: what the function logs for it."""
    used_mb: int = 0
    """Memory that the environment had used, and ``size_mb`` that it had; 0: not said."""
    size_mb: int = 0

    @property
    def memory_is_full(self) -> bool:
        """Whether the environment had used up its memory."""
        return bool(self.size_mb) and self.used_mb >= self.size_mb


def version_of(stream: str) -> str:
    """Return the function's version, which is in the name of its log streams; empty if not.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
    """
    match = _VERSION.search(stream)
    return match[1] if match else ""


def read_line(text: str, *, time: str = "", version: str = "") -> Line | None:
    """Read a line; None when it tells of no failure."""
    text = text.strip()
    line = _object(text) if text.startswith("{") else _text(text)
    if line is None:
        return None
    return Line(
        line.error_type,
        line.message,
        line.time or time,
        version,
        line.cause,
        line.used_mb,
        line.size_mb,
    )


def _object(text: str) -> Line | None:
    try:
        entry: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError):
        # What is cut off, as the first line of a log tail can be.
        return _text(text)
    kind, time = _str(entry.get("type")), _str(entry.get("time") or entry.get("timestamp"))
    record = entry.get("record")
    if kind.startswith("platform."):
        if isinstance(record, str):
            line = _text(record)
            return line and Line(line.error_type, line.message, time)
        return _platform(kind, record, time) if isinstance(record, dict) else None
    if "errorType" in entry or "errorMessage" in entry:
        # The runtime client's own: awslambdaric, bootstrap.py, log_error.
        return Line(_str(entry.get("errorType")), _str(entry.get("errorMessage")), time)
    status = entry.get("status")
    if isinstance(status, int) and status >= _SERVER_ERROR_STATUS:
        cause = _str(entry.get("cause"))
        said = (f"{_str(entry.get('route'))} answered {status}", _str(entry.get("code")), cause)
        return Line(SERVER_ERROR, " ".join(part for part in said if part), time, cause=cause)
    # Text that was put into an object on its way to the log.
    line = _text(message) if isinstance(message := entry.get("message"), str) else None
    return line and Line(line.error_type, line.message, time)


def _platform(kind: str, record: dict[str, Any], time: str) -> Line | None:
    status = _str(record.get("status"))
    if status not in _BAD:
        return None
    type_ = _str(record.get("errorType"))
    is_init = "init" in kind
    if status == "timeout":
        type_ = INIT_TIMED_OUT if is_init else TIMED_OUT
    metrics = record.get("metrics")
    metrics = metrics if isinstance(metrics, dict) else {}
    phase = f", phase {record['phase']}" if is_init and record.get("phase") else ""
    message = f"{kind}: status {status}{f', {type_}' if type_ else ''}{phase}"
    return Line(
        type_,
        message,
        time,
        used_mb=_int(metrics.get("maxMemoryUsedMB")),
        size_mb=_int(metrics.get("memorySizeMB")),
    )


def _text(text: str) -> Line | None:
    return next((line for read in _READERS if (line := read(text))), None)


def _fault(text: str) -> Line | None:
    match = _FAULT.search(text)
    return match and Line(match["type"], match["message"])


def _timed_out(text: str) -> Line | None:
    match = _TIMED_OUT.search(text)
    return match and Line(TIMED_OUT, match[0])


def _launch(text: str) -> Line | None:
    match = _LAUNCH.search(text)
    if match is None:
        return None
    type_ = "Runtime.InvalidEntrypoint" if "Launch" in match[0] else "Runtime.InvalidTaskConfig"
    return Line(type_, " ".join(match["message"].split()))


def _report(text: str) -> Line | None:
    match = _REPORT.match(text)
    if match is None or match["status"] not in _BAD:
        return None
    type_ = match["type"] or ""
    if match["status"] == "timeout":
        type_ = INIT_TIMED_OUT if match["kind"] == "INIT_REPORT" else TIMED_OUT
    sizes = _SIZES.search(text)
    return Line(
        type_,
        _first(" ".join(text.split())),
        used_mb=int(sizes["used"]) if sizes else 0,
        size_mb=int(sizes["size"]) if sizes else 0,
    )


def _exception(text: str) -> Line | None:
    match = _EXCEPTION.match(text)
    return match and Line(match["type"], match["message"] or "")


def _ended(text: str) -> Line | None:
    if "signal: killed" in text:
        return Line("Runtime.ExitError", _first(text))
    match = _PROCESS.search(text)
    return match and Line("Runtime.ExitError", match["message"].removeprefix("Error: "))


def _read_only(text: str) -> Line | None:
    return Line("", _first(text)) if _READ_ONLY.search(text) else None


_READERS: Final = (_fault, _timed_out, _launch, _report, _exception, _ended, _read_only)
"""In this order: an earlier reader takes more from a line than a later one."""


def _first(text: str) -> str:
    return text.splitlines()[0] if text else ""


def _str(value: object) -> str:
    return value if isinstance(value, str) else ""


def _int(value: object) -> int:
    if isinstance(value, float):
        return int(value) if value.is_integer() else 0
    return value if isinstance(value, int) else 0
