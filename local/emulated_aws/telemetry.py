"""The log group of a function: its own lines, and those of Lambda about it.

https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
"""

import json
import queue
import time
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from moto.logs.models import logs_backends

from lambda_runtime.runtime_api import TIMED_OUT, FunctionError
from local.emulated_aws.account import ACCOUNT_ID, REGION
from local.function_settings import FunctionSettings

TAIL_BYTES: Final = 4096
"""https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, LogResult."""

_LINES_KEPT = 200


class FunctionLogs:
    """A queue of lines for the emulated CloudWatch Logs.

    Functions log from their own threads, also while another thread holds the account's lock and
    waits for them. So lines are queued, and the next holder of the lock stores them.
    """

    def __init__(self) -> None:
        """Begin with an empty queue."""
        self._lines: queue.SimpleQueue[tuple[str, str, int, str]] = queue.SimpleQueue()
        self._groups: set[str] = set()

    def write(self, group: str, stream: str, message: str) -> None:
        """Queue a line, from any thread."""
        self._lines.put((group, stream, int(time.time() * 1000), message))

    def flush(self) -> None:
        """Store the queued lines; the caller holds the account's lock."""
        backend = logs_backends[ACCOUNT_ID][REGION]
        while not self._lines.empty():
            group, stream, timestamp, message = self._lines.get()
            if group not in backend.groups:
                if group in self._groups:
                    # It was deleted with its function, so the line is dropped.
                    continue
                backend.ensure_log_group(group)
            self._groups.add(group)
            if stream not in backend.groups[group].streams:
                backend.create_log_stream(group, stream)
            event = {"timestamp": timestamp, "message": message}
            backend.put_log_events(group, stream, [event])


class Telemetry:
    """An observer that writes the log stream of one environment, with Lambda's own lines."""

    def __init__(
        self,
        settings: FunctionSettings,
        logs: FunctionLogs,
        *,
        echo: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``echo`` also gets the function's own lines."""
        today = datetime.now(UTC).strftime("%Y/%m/%d")
        self.stream = f"{today}/[{settings.version}]{uuid.uuid4().hex}"
        self._settings = settings
        self._logs = logs
        self.launched = ""
        """The command of the process as Lambda logs it; see FunctionProgram."""
        self._echo = echo
        self._json = settings.log_format == "JSON"
        self._recent: deque[str] = deque(maxlen=_LINES_KEPT)

    def function_line(self, line: str) -> None:
        """Log a line of the function's output."""
        self._write(line)
        self._echo(line)

    def initialized(self, seconds: float, error: FunctionError | None) -> None:
        """See Observer."""
        self._recent.clear()
        if error is not None and error.type == "Runtime.InvalidEntrypoint":
            self._write(f"IMAGE\tLaunch error: {error.message}\t{self.launched}")
        record = {
            "initializationType": "on-demand",
            "phase": "init",
            "status": "success" if error is None else "error",
            **({} if error is None else {"errorType": error.type}),
            "metrics": {"durationMs": _milliseconds(seconds)},
        }
        end = "" if error is None else f"\tStatus: error\tError Type: {error.type}"
        text = f"INIT_REPORT Init Duration: {_milliseconds(seconds):.2f} ms\tPhase: init{end}"
        self._platform("initReport", record, text)

    def invoked(self, request_id: str) -> None:
        """See Observer."""
        version = self._settings.version
        record = {"requestId": request_id, "version": version}
        self._platform("start", record, f"START RequestId: {request_id} Version: {version}")

    def answered(self, request_id: str, seconds: float, error: FunctionError | None) -> None:
        """See Observer."""
        milliseconds = _milliseconds(seconds)
        timed_out = error is not None and error.type == TIMED_OUT
        status = "success" if error is None else "timeout" if timed_out else "error"
        outcome: dict[str, Any] = {"requestId": request_id, "status": status}
        if error is not None and not timed_out:
            outcome["errorType"] = error.type
        self._platform(
            "runtimeDone",
            {**outcome, "metrics": {"durationMs": milliseconds}},
            f"END RequestId: {request_id}",
        )
        billed, memory = int(milliseconds) + 1, self._settings.memory_mb
        metrics = {"durationMs": milliseconds, "billedDurationMs": billed, "memorySizeMB": memory}
        self._platform(
            "report",
            {**outcome, "metrics": metrics},
            f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\tBilled Duration:"
            f" {billed} ms\tMemory Size: {memory} MB"
            + ("" if error is None else f"\tStatus: {status}\tError Type: {error.type}"),
        )

    def tail(self) -> bytes:
        """Return the end of the log since the environment last started."""
        found: list[str] = []
        size = 0
        for line in reversed(list(self._recent)):
            found.append(f"{line}\n")
            size += len(found[-1])  # and at least as many bytes
            if size >= TAIL_BYTES:
                break
        return "".join(reversed(found)).encode()[-TAIL_BYTES:]

    def _platform(self, kind: str, record: dict[str, Any], text: str) -> None:
        time_ = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"time": time_, "type": f"platform.{kind}", "record": record}
        self._write(json.dumps(line, separators=(",", ":")) if self._json else text)

    def _write(self, line: str) -> None:
        self._recent.append(line)
        self._logs.write(self._settings.log_group, self.stream, line)


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
