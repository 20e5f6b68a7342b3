"""The real runtime client under our Runtime API: what Lambda does with a handler, good or bad."""

import json
import os
import socket
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from lambda_runtime.runtime_api import MAX_RESPONSE_BYTES, FunctionError, RuntimeApi
from local.execution_environment import ExecutionEnvironment
from tests.local.conftest import MakeFunction

ECHO = """
def handler(event, context):
    return event
"""


def invoke(function: ExecutionEnvironment, event: object = None) -> Any:
    outcome = function.invoke(json.dumps(event).encode())
    return outcome if isinstance(outcome, FunctionError) else json.loads(outcome)


def test_answers_with_what_the_handler_returns_in_any_script(make_function: MakeFunction) -> None:
    event = {"name": "ひま 👪 \u0000 é", "nested": [1, 2.5, None, True]}
    assert invoke(make_function(ECHO), event) == event


def test_large_payloads_pass_both_ways(make_function: MakeFunction) -> None:
    event = "あ" * 900_000
    assert invoke(make_function(ECHO), event) == event


def test_headers_and_body_leave_in_one_packet(
    make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In two, each call would wait 40 ms for a delayed acknowledgement."""
    packets: list[bytes] = []
    write = socket.SocketIO.write

    def recorded(stream: socket.SocketIO, data: Any) -> int | None:
        packets.append(bytes(data))
        return write(stream, data)

    monkeypatch.setattr(socket.SocketIO, "write", recorded)
    function = make_function(ECHO)
    for number in range(3):
        assert invoke(function, {"number": number}) == {"number": number}

    for number in range(3):
        (event,) = [packet for packet in packets if b'{"number": %d}' % number in packet]
        assert event.startswith(b"HTTP/1.1 200")
    assert all(packet.startswith(b"HTTP/1.1 ") for packet in packets)


def test_a_process_lives_on_between_invocations(make_function: MakeFunction) -> None:
    function = make_function("""
        calls = 0
        def handler(event, context):
            global calls
            calls += 1
            return calls
    """)
    assert [invoke(function), invoke(function)] == [1, 2]


def test_gives_the_context_that_lambda_gives(make_function: MakeFunction) -> None:
    function = make_function(
        """
        def handler(event, context):
            return [context.invoked_function_arn, context.function_name, context.function_version,
                    context.memory_limit_in_mb, context.get_remaining_time_in_millis(),
                    context.aws_request_id]
        """,
        timeout_seconds=5,
    )
    first, second = invoke(function), invoke(function)
    assert first[:3] == [
        "arn:aws:lambda:ap-northeast-1:123456789012:function:rooms:live",
        "rooms",
        "7",
    ]
    assert first[3] == "256"
    assert 4000 < first[4] <= 5000
    assert first[5] != second[5]


def test_the_environment_is_the_functions_and_lambdas_and_nothing_of_this_shell(
    make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "1")
    function = make_function(
        "import os\ndef handler(event, context): return dict(os.environ)",
        environment={"ROOMS_TABLE": "rooms", "AWS_REGION": "us-east-1"},
        log_format="JSON",
        log_level="WARN",
    )
    variables = invoke(function)
    assert variables["ROOMS_TABLE"] == "rooms"
    assert variables["AWS_REGION"] == "ap-northeast-1"
    assert variables["AWS_ENDPOINT_URL"] == "http://localhost:1"
    assert variables["LAMBDA_TASK_ROOT"] == str(tmp_path / "code")
    assert variables["_HANDLER"] == "app.handler"
    assert variables["AWS_LAMBDA_LOG_FORMAT"] == "JSON"
    assert variables["AWS_LAMBDA_LOG_LEVEL"] == "WARN"
    assert variables["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/rooms"
    assert not {"AWS_PROFILE", "SECRET_OF_THE_SHELL", "HOME", "VIRTUAL_ENV"} & set(variables)


def test_an_exception_is_reported_and_the_process_lives_on(make_function: MakeFunction) -> None:
    function = make_function("""
        calls = 0
        def handler(event, context):
            global calls
            calls += 1
            if calls == 1:
                raise ValueError("no such room: ひま")
            return calls
    """)
    error = invoke(function)
    assert (error.type, error.message) == ("ValueError", "no such room: ひま")
    assert "app.py" in str(error)
    assert invoke(function) == 2


def test_an_answer_that_is_not_json_is_the_functions_error(make_function: MakeFunction) -> None:
    error = invoke(make_function("def handler(event, context): return object()"))
    assert error.type == "Runtime.MarshalError"


def test_an_answer_over_lambdas_limit_is_an_error(make_function: MakeFunction) -> None:
    function = make_function("def handler(event, context): return 'x' * event")
    assert invoke(function, MAX_RESPONSE_BYTES).type == "Function.ResponseSizeTooLarge"
    assert invoke(function, 3) == "xxx"


@pytest.mark.parametrize(
    ("code", "handler", "error_type"),
    [
        ("import nowhere", "app.handler", "Runtime.ImportModuleError"),
        ("def handler(:", "app.handler", "Runtime.UserCodeSyntaxError"),
        ("", "app.handler", "Runtime.HandlerNotFound"),
        ("", "apphandler", "Runtime.MalformedHandlerName"),
        ("import os; os.environ['ROOMS_TABLE']", "app.handler", "KeyError"),
        ("import os; os._exit(3)", "app.handler", "Runtime.ExitError"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_known_at_the_start(
    make_function: MakeFunction, code: str, handler: str, error_type: str
) -> None:
    function = make_function(code, handler=handler)
    error = function.start()
    assert error is not None
    assert error.type == error_type
    assert invoke(function).type == error_type


@pytest.mark.proof
def test_a_timeout_ends_the_process_and_the_next_call_starts_a_new_one(
    make_function: MakeFunction, capfd: pytest.CaptureFixture[str]
) -> None:
    function = make_function(
        """
        import os, time
        def handler(event, context):
            if event:
                time.sleep(60)
            return os.getpid()
        """,
        timeout_seconds=1,
    )
    first = invoke(function, False)
    error = invoke(function, True)
    assert error.type == "Sandbox.Timedout"
    assert error.message.endswith("Error: Task timed out after 1.00 seconds")
    assert not Path(f"/proc/{first}").exists()
    assert invoke(function, False) != first
    function.close()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("sys.exit(5)", "Error: Runtime exited with error: exit status 5"),
        ("os._exit(0)", "Error: Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), 9)", "Error: Runtime exited with error: signal: killed"),
    ],
)
def test_a_process_that_ends_is_an_error_before_the_timeout_and_the_next_call_starts_a_new_one(
    make_function: MakeFunction, how: str, message: str
) -> None:
    function = make_function(f"""
        import os, sys
        def handler(event, context):
            if event:
                {how}
            return "alive"
    """)
    error = invoke(function, True)
    assert error.type == "Runtime.ExitError"
    assert error.message.endswith(message)
    assert invoke(function, False) == "alive"


def test_memory_over_the_limit_fails_and_memory_within_it_does_not(
    make_function: MakeFunction,
) -> None:
    function = make_function(
        "def handler(event, context): return len(bytearray(event * 1024 * 1024))", memory_mb=256
    )
    assert invoke(function, 100) == 100 * 1024 * 1024
    assert invoke(function, 300).type in {"MemoryError", "Runtime.ExitError"}


@pytest.mark.proof
def test_an_edit_shows_on_the_next_call_and_a_broken_one_says_what_is_broken(
    make_function: MakeFunction, tmp_path: Path
) -> None:
    function = make_function("def handler(event, context): return 'before'")
    assert invoke(function) == "before"
    source = tmp_path / "code" / "app.py"
    source.write_text("def handler(event, context): return 'after'")
    assert invoke(function) == "after"
    source.write_text("def handler(")
    assert invoke(function).type == "Runtime.UserCodeSyntaxError"
    source.write_text("from other import handler")
    (source.parent / "other.py").write_text("def handler(event, context): return 'elsewhere'")
    assert invoke(function) == "elsewhere"
    (source.parent / "other.py").unlink()
    assert invoke(function).type == "Runtime.ImportModuleError"


def test_log_lines_are_passed_on_and_no_bytecode_is_written(
    make_function: MakeFunction, function_log: list[str], tmp_path: Path
) -> None:
    function = make_function(
        """
        import logging, other
        def handler(event, context):
            print("ひま printed")
            logging.getLogger().warning("warned")
        """,
        log_format="JSON",
    )
    (tmp_path / "code" / "other.py").write_text("")
    invoke(function)
    function.close()
    assert function_log[0] == "ひま printed"
    assert json.loads(function_log[1])["message"] == "warned"
    assert sorted(path.name for path in (tmp_path / "code").iterdir()) == ["app.py", "other.py"]


@pytest.mark.proof
def test_one_invocation_runs_at_a_time(make_function: MakeFunction) -> None:
    function = make_function("""
        import time
        def handler(event, context):
            began = time.monotonic()
            time.sleep(0.05)
            return [began, time.monotonic()]
    """)
    spans: list[list[float]] = []
    threads = [threading.Thread(target=lambda: spans.append(invoke(function))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spans.sort()
    assert len(spans) == 5
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_closing_ends_a_running_invocation_and_starts_no_other(
    make_function: MakeFunction, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    function = make_function(f"""
        import time
        def handler(event, context):
            open({str(started)!r}, "w").close()
            time.sleep(60)
    """)
    outcomes: list[Any] = []
    thread = threading.Thread(target=lambda: outcomes.append(invoke(function)))
    thread.start()
    started.read_text()  # Returns when the handler has opened the other end.
    function.close()
    thread.join()
    assert outcomes[0].type == "Runtime.ExitError"
    assert invoke(function).message == "the execution environment is closed"


def test_the_runtime_api_refuses_answers_to_events_that_it_did_not_give() -> None:
    with RuntimeApi() as api:
        assert api.answer("unknown", b"{}") is False


def test_a_runtime_that_never_asks_for_an_event_is_reported() -> None:
    with RuntimeApi() as api:
        error = api.wait_until_ready(0.05)
    message = "the runtime did not ask for an event within 0.05 s"
    assert error == FunctionError("Sandbox.Timedout", message)
