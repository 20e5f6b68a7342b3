"""Log lines as the services write them.

Where they are from: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
(``platform.*``), https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html (text),
https://github.com/aws/aws-lambda-base-images/issues/26 (a start that fails), and awslambdaric's
``bootstrap.py`` (the runtime client).
"""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.diagnosis.log_lines import (
    INIT_TIMED_OUT,
    OUT_OF_MEMORY,
    SERVER_ERROR,
    TIMED_OUT,
    read_line,
    version_of,
)

TIME = "2026-11-25T01:00:00.000Z"


def event(kind: str, **record: object) -> str:
    return json.dumps({"time": TIME, "type": f"platform.{kind}", "record": record})


METRICS = {"durationMs": 3000.0, "billedDurationMs": 3000, "memorySizeMB": 128}
FAILURES = {
    "init of an entrypoint": (
        event(
            "initReport",
            initializationType="on-demand",
            phase="init",
            status="error",
            errorType="Runtime.InvalidEntrypoint",
            metrics={"durationMs": 0.27},
        ),
        "Runtime.InvalidEntrypoint",
        "phase init",
    ),
    "init that is done but for its report": (
        event("initRuntimeDone", phase="init", status="error", errorType="Runtime.ExitError"),
        "Runtime.ExitError",
        "platform.initRuntimeDone",
    ),
    "init timeout": (
        event("initReport", phase="init", status="timeout", metrics={"durationMs": 10000.487}),
        INIT_TIMED_OUT,
        "timeout",
    ),
    "runtime that failed": (
        event("runtimeDone", requestId="r", status="failure", errorType="Runtime.ExitError"),
        "Runtime.ExitError",
        "failure",
    ),
    "report of a timeout": (
        event("report", requestId="r", status="timeout", metrics={**METRICS, "maxMemoryUsedMB": 9}),
        TIMED_OUT,
        "timeout",
    ),
    "report of an invocation without memory": (
        event(
            "report",
            requestId="r",
            status="error",
            errorType=OUT_OF_MEMORY,
            metrics={**METRICS, "maxMemoryUsedMB": 128},
        ),
        OUT_OF_MEMORY,
        "error",
    ),
    "report without a type": (event("report", requestId="r", status="error"), "", "error"),
    "fault": (
        json.dumps(
            {
                "time": TIME,
                "type": "platform.fault",
                "record": "RequestId: d783b35e-a91d Error: Runtime exited with error: signal:"
                " killed\nRuntime.ExitError",
            }
        ),
        "Runtime.ExitError",
        "signal: killed",
    ),
    "fault in older words": (
        json.dumps(
            {
                "time": TIME,
                "type": "platform.fault",
                "record": "RequestId: d783b35e-a91d Process exited before completing request",
            }
        ),
        "Runtime.ExitError",
        "Process exited",
    ),
    "runtime client": (
        json.dumps(
            {
                "timestamp": TIME,
                "level": "ERROR",
                "errorMessage": "Handler 'handlr' missing on module 'rooms.main'",
                "errorType": "Runtime.HandlerNotFound",
                "requestId": "",
                "stackTrace": [],
            }
        ),
        "Runtime.HandlerNotFound",
        "missing on module",
    ),
    "exception at import": (
        json.dumps(
            {
                "timestamp": TIME,
                "level": "ERROR",
                "errorMessage": "'ROOMS_TABLE'",
                "errorType": "KeyError",
                "requestId": "",
                "stackTrace": ['  File "/var/task/rooms/main.py", line 23'],
            }
        ),
        "KeyError",
        "'ROOMS_TABLE'",
    ),
    "init, as text": (
        "INIT_REPORT Init Duration: 0.27 ms\tPhase: init\tStatus: error\tError Type:"
        " Runtime.InvalidEntrypoint",
        "Runtime.InvalidEntrypoint",
        "Phase: init",
    ),
    "init timeout, as text": (
        "INIT_REPORT Init Duration: 10000.45 ms\tPhase: init\tStatus: timeout",
        INIT_TIMED_OUT,
        "timeout",
    ),
    "fault, as text": (
        "RequestId: 6da64f80-0eb1-4cf9-998e-40ceda18fc21 Error: fork/exec /lambda-entrypoint.sh:"
        " exec format error\nRuntime.InvalidEntrypoint",
        "Runtime.InvalidEntrypoint",
        "fork/exec /lambda-entrypoint.sh: exec format error",
    ),
    "no command to start": (
        "RequestId: 01028c6f-9a62-4946-b1be-d1d6db5cd870 Error: Couldn't find valid bootstrap(s):"
        " [app.handler]\nRuntime.InvalidEntrypoint\n",
        "Runtime.InvalidEntrypoint",
        "valid bootstrap",
    ),
    "launch error": (
        "IMAGE\tLaunch error: fork/exec /lambda-entrypoint.sh: permission denied\tEntrypoint:"
        " [/lambda-entrypoint.sh]\tCmd: [rooms.main.handler]\tWorkingDir: [/var/task]",
        "Runtime.InvalidEntrypoint",
        "Cmd: [rooms.main.handler]",
    ),
    "task config": (
        "IMAGE\tInvalid task config: exec user\tEntrypoint: []",
        "Runtime.InvalidTaskConfig",
        "exec user",
    ),
    "timeout, as text": (
        "2026-11-25T01:00:00.000Z 6da64f80-0eb1 Task timed out after 20.00 seconds\n\n",
        TIMED_OUT,
        "after 20.00 seconds",
    ),
    "report, as text": (
        "REPORT RequestId: c2\tDuration: 800.10 ms\tBilled Duration: 801 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 128 MB\tStatus: error\tError Type: Runtime.OutOfMemory",
        OUT_OF_MEMORY,
        "Max Memory Used: 128 MB",
    ),
    "runtime client, as text": (
        "[ERROR] Runtime.ImportModuleError: Unable to import module 'rooms.main': No module named"
        " 'msgspec'\nTraceback (most recent call last):",
        "Runtime.ImportModuleError",
        "No module named 'msgspec'",
    ),
    "killed, as text": (
        "RequestId: c2 Error: Runtime exited with error: signal: killed",
        "Runtime.ExitError",
        "signal: killed",
    ),
    "text in an object": (
        json.dumps({"timestamp": TIME, "message": "c2 Task timed out after 20.00 seconds"}),
        TIMED_OUT,
        "timed out",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_line_that_tells_of_a_failure(name: str) -> None:
    text, type_, shows = FAILURES[name]

    line = read_line(text, time="then", version="3")

    assert line is not None
    assert line.error_type == type_
    assert shows in line.message
    assert "\n" not in line.message
    assert line.version == "3"
    assert line.time == (TIME if text.startswith("{") else "then")


@pytest.mark.parametrize(
    "text",
    [
        event("start", requestId="r", version="3"),
        event("initStart", phase="init"),
        event("initReport", phase="init", status="success", metrics={"durationMs": 565.4}),
        event("runtimeDone", requestId="r", status="success"),
        event(
            "report", requestId="r", status="success", metrics={**METRICS, "maxMemoryUsedMB": 128}
        ),
        "START RequestId: c2 Version: 3",
        "END RequestId: c2",
        "REPORT RequestId: c2\tDuration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB",
        "XRAY TraceId: 1-2\tSegmentId: 3\tSampled: true",
        json.dumps({"level": "INFO", "message": "request", "status": 404, "code": "NOT_FOUND"}),
        json.dumps({"message": ["Task timed out after 1 seconds"]}),
        json.dumps({"type": "platform.report", "record": None}),
        json.dumps({"type": 3, "record": {}}),
        "{",
        "",
        "a room was made",
    ],
)
def test_a_line_that_tells_of_none(text: str) -> None:
    assert read_line(text) is None


@pytest.mark.parametrize(("status", "code"), [(500, "INTERNAL_ERROR"), (503, "UNAVAILABLE")])
def test_the_functions_own_line_of_a_server_error_has_its_cause(status: int, code: str) -> None:
    """As ``rooms.router`` logs it through the runtime client's formatter."""
    text = json.dumps(
        {
            "timestamp": TIME,
            "level": "ERROR",
            "message": "request",
            "route": "GET /rooms/{roomId}",
            "code": code,
            "cause": "GetItem: AccessDeniedException",
            "status": status,
        }
    )
    line = read_line(text)

    assert line is not None
    assert (line.error_type, line.cause) == (SERVER_ERROR, "GetItem: AccessDeniedException")
    assert f"GET /rooms/{{roomId}} answered {status} {code}" in line.message


def test_memory_is_full_when_all_of_it_was_used() -> None:
    full = read_line(FAILURES["report of an invocation without memory"][0])
    other = read_line(FAILURES["report of a timeout"][0])
    text = read_line(FAILURES["report, as text"][0])
    unsaid = read_line(FAILURES["fault"][0])

    assert full
    assert other
    assert text
    assert unsaid
    assert (full.memory_is_full, text.memory_is_full) == (True, True)
    assert (other.memory_is_full, unsaid.memory_is_full) == (False, False)


def test_the_version_is_in_the_name_of_the_stream() -> None:
    assert version_of("2026/11/25/[3]aa11") == "3"
    assert version_of("2026/11/25/hima-five-bomber-dev-rooms[12]aa11") == "12"
    assert version_of("2026/11/25/[$LATEST]aa11") == "$LATEST"
    assert version_of("else") == ""


_ANYTHING = st.recursive(st.none() | st.floats() | st.integers() | st.text(), st.lists)


@pytest.mark.proof
@given(st.text(), _ANYTHING, st.floats() | _ANYTHING)
def test_no_line_is_too_strange(text: str, value: object, size: object) -> None:
    record = {"status": "error", "errorType": value, "metrics": {"memorySizeMB": size}}

    read_line(text)
    read_line(json.dumps({"type": "platform.report", "record": record}))
    read_line(json.dumps({"type": value, "record": size, "status": size, "message": value}))
    read_line(json.dumps({"type": "platform.fault", "record": value}))


def test_no_line_is_too_deep() -> None:
    assert read_line('{"message": ' + "[" * 100_000) is None
