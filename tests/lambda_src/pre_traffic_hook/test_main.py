"""The hook with the real function behind it, and with everything that Lambda can answer instead."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from awslambdaric.lambda_runtime_log_utils import JsonFormatter
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from lambda_src.pre_traffic_hook import main as hook
from tests.support.contract_service import Service

ARN = "arn:aws:lambda:ap-northeast-1:123456789012:function:rooms:7"
EVENT = {"DeploymentId": "d-123", "LifecycleEventHookExecutionId": "e-456"}
LAMBDA_SRC = Path(__file__).parents[3] / "lambda_src"


@dataclass
class Time:
    """A clock for hook and context alike; only pauses move it."""

    left_s: float = 180.0
    passed_s: float = 0.0

    def get_remaining_time_in_millis(self) -> int:
        return int((self.left_s - self.passed_s) * 1000)

    def monotonic(self) -> float:
        return self.passed_s

    def sleep(self, seconds: float) -> None:
        self.passed_s += seconds


@dataclass
class Versions:
    """Lambda's API: first refuses as often as told, then invokes the real function."""

    service: Service | None = None
    refusals: list[Exception] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def invoke(self, *, FunctionName: str, Payload: str) -> dict[str, Any]:  # noqa: N803  (boto3's)
        self.asked.append(FunctionName)
        if self.refusals:
            raise self.refusals.pop(0)
        assert self.service
        return {"Payload": io.BytesIO(self.service.invoke(Payload))}


@dataclass
class Hook:
    """The hook in an environment where its clients are these."""

    versions: Any
    codedeploy: Stubber
    time: Time
    lines: Callable[[], list[dict[str, Any]]]
    made: dict[str, tuple[float, int]] = field(default_factory=dict)
    """The clients: for how many seconds each waits, and how often it asks."""

    def __call__(self, status: str) -> dict[str, Any]:
        """Run it; it must report this status, and log one line."""
        self.codedeploy.add_response(
            "put_lifecycle_event_hook_execution_status", {}, reported(status)
        )
        hook.handler(EVENT, self.time)
        self.codedeploy.assert_no_pending_responses()
        (line,) = self.lines()
        return line


def reported(status: str) -> dict[str, str]:
    return {
        "deploymentId": "d-123",
        "lifecycleEventHookExecutionId": "e-456",
        "status": status,
    }


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Invoke")


@pytest.fixture
def run(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[Hook]:
    caplog.set_level(logging.INFO)

    def lines() -> list[dict[str, Any]]:
        records = [record for record in caplog.records if record.name == hook.__name__]
        return [json.loads(JsonFormatter().format(record)) for record in records]

    client: Any = boto3.client(
        "codedeploy",
        region_name="ap-northeast-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with Stubber(client) as codedeploy:
        prepared = Hook(Versions(service), codedeploy, Time(), lines)
        monkeypatch.setenv("NEW_VERSION_ARN", ARN)
        monkeypatch.setattr(hook, "time", prepared.time)

        def make(service: str, timeout_s: float, *, attempts: int) -> Any:
            prepared.made[service] = (timeout_s, attempts)
            return {"lambda": prepared.versions, "codedeploy": client}[service]

        monkeypatch.setattr(hook, "_client", make)
        yield prepared


def test_a_version_that_works_gets_its_traffic(run: Hook, service: Service) -> None:
    line = run("Succeeded")

    assert (line["message"], line["level"]) == ("pre-traffic hook", "INFO")
    assert (line["deploymentId"], line["version"], line["status"]) == ("d-123", "7", "Succeeded")
    assert [step["name"] for step in line["steps"]][:3] == ["create", "join", "get"]
    assert line["steps"][0]["status"] == 200
    assert "step" not in line
    assert set(run.versions.asked) == {ARN}
    assert run.made["lambda"] == (hook.ANSWER_TIMEOUT_S, 1)
    assert service.rooms() == []


@pytest.mark.parametrize(
    ("payload", "found"),
    [
        (
            {
                "errorType": "Runtime.InvalidEntrypoint",
                "errorMessage": "RequestId: 1 Error: fork/exec\n/lambda-entrypoint.sh",
            },
            "Runtime.InvalidEntrypoint: RequestId: 1 Error: fork/exec /lambda-entrypoint.sh",
        ),
        ({"errorMessage": "Task timed out"}, "Unhandled: Task timed out"),
        ({"errorType": "X", "errorMessage": "x" * 9999}, "X: " + "x" * 497),
        ([], "the function failed, and Lambda does not say how"),
        ({}, "the function failed, and Lambda does not say how"),
    ],
)
def test_a_version_that_does_not_start_gets_none_and_the_error_type_is_told(
    run: Hook, payload: Any, found: str
) -> None:
    client: Any = boto3.client(
        "lambda", region_name="x", aws_access_key_id="test", aws_secret_access_key="test"
    )
    body = json.dumps(payload).encode()
    with Stubber(client) as stubber:
        stubber.add_response(
            "invoke",
            {
                "StatusCode": 200,
                "FunctionError": "Unhandled",
                "Payload": StreamingBody(io.BytesIO(body), len(body)),
            },
        )
        run.versions = client
        line = run("Failed")
    assert (line["level"], line["step"], line["found"]) == ("ERROR", "create", found)
    assert line["steps"] == []


def test_a_wrong_answer_is_told_with_the_steps_before_it(run: Hook, service: Service) -> None:
    def full(event: str) -> bytes:
        if "/join" in event:
            return b'{"statusCode": 409, "body": "{\\"error\\": {\\"code\\": \\"ROOM_FULL\\"}}"}'
        return Service.invoke(service, event)

    service.invoke = full  # type: ignore[method-assign]
    line = run("Failed")
    assert (line["step"], line["found"]) == ("join", "status 409 ROOM_FULL, wanted 200")
    assert [step["name"] for step in line["steps"]] == ["create"]
    assert service.rooms() == []


@pytest.mark.proof
def test_no_line_holds_a_token_or_anything_of_a_room(run: Hook, service: Service) -> None:
    table, seen = service.table, []

    def gone(event: str) -> bytes:
        answer = Service.invoke(service, event)
        seen.append(json.loads(json.loads(answer)["body"]))
        service.table = "gone"
        return answer

    service.invoke = gone  # type: ignore[method-assign]
    text = json.dumps(run("Failed"))
    assert table
    for secret in (seen[0]["roomId"], seen[0]["playerToken"], seen[0]["playerId"]):
        assert secret not in text


@pytest.mark.parametrize("arn", ["", ARN[:-2], ARN[:-1] + "live", ARN[:-1] + "$LATEST"])
def test_only_the_number_of_a_version_is_tested(
    run: Hook, monkeypatch: pytest.MonkeyPatch, arn: str
) -> None:
    monkeypatch.setenv("NEW_VERSION_ARN", arn)
    assert "does not end with the number of a version" in run("Failed")["found"]
    assert run.versions.asked == []


def test_a_missing_variable_is_reported_too(run: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEW_VERSION_ARN")
    assert "NEW_VERSION_ARN ''" in run("Failed")["found"]


def test_whatever_goes_wrong_in_the_hook_itself_is_reported(run: Hook) -> None:
    run.versions.refusals = [RuntimeError("a bug, and perhaps a secret")]
    line = run("Failed")
    assert (line["step"], line["found"]) == ("hook", "the hook itself failed: RuntimeError")
    assert "in invoke" in line["trace"][-1]
    assert "secret" not in json.dumps({**line, "trace": ""})


@pytest.mark.parametrize(
    "code",
    ["AccessDeniedException", "ResourceConflictException", "CodeArtifactUserPendingException"],
)
def test_temporary_errors_are_retried(run: Hook, code: str) -> None:
    run.versions.refusals = [refused(code)] * 5
    run("Succeeded")
    assert run.time.passed_s == 5


def test_patience_ends(run: Hook) -> None:
    run.versions.refusals = [refused("AccessDeniedException")] * 999
    assert run("Failed")["found"] == "AccessDeniedException: no"
    assert hook.PATIENCE_S < run.time.passed_s < hook.PATIENCE_S + 5


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "TooManyRequestsException", ""])
def test_any_other_refusal_is_final(run: Hook, code: str) -> None:
    run.versions.refusals = [refused(code)]
    assert run("Failed")["found"] == f"{code}: no"
    assert run.versions.asked == [ARN]


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (ReadTimeoutError(endpoint_url="https://lambda"), "no answer within 45 seconds"),
        (ConnectTimeoutError(endpoint_url="https://lambda"), "Connect timeout on endpoint"),
    ],
)
def test_a_timeout_is_a_failure_and_not_retried(run: Hook, error: Exception, found: str) -> None:
    run.versions.refusals = [error]
    assert run("Failed")["found"].startswith(found)
    assert run.versions.asked == [ARN]


def test_it_stops_asking_while_there_is_time_to_report(run: Hook, service: Service) -> None:
    def slow(event: str) -> bytes:
        run.time.sleep(40)
        return Service.invoke(service, event)

    service.invoke = slow  # type: ignore[method-assign]
    line = run("Failed")
    assert line["step"] == "get unchanged"
    assert "no time is left for this one" in line["found"]
    assert run.time.get_remaining_time_in_millis() >= hook.REPORT_S * 1000


def test_a_request_may_take_as_long_as_the_slowest_function_and_is_sent_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    longest_start_s, longest_run_s = 10, 30
    assert longest_start_s + longest_run_s < hook.ANSWER_TIMEOUT_S

    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    config = hook._client("lambda", hook.ANSWER_TIMEOUT_S, attempts=1).meta.config
    assert (config.connect_timeout, config.read_timeout) == (3, 45)
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}


def test_all_attempts_at_a_report_fit_into_the_time_that_is_kept_for_it(run: Hook) -> None:
    run("Succeeded")
    timeout_s, attempts = run.made["codedeploy"]
    assert attempts * (hook.CONNECT_TIMEOUT_S + timeout_s) < hook.REPORT_S


def denied(stubber: Stubber, code: str) -> None:
    stubber.add_client_error(
        "put_lifecycle_event_hook_execution_status", code, expected_params=reported("Succeeded")
    )


def test_a_report_is_repeated_while_its_permission_spreads(run: Hook) -> None:
    denied(run.codedeploy, "AccessDeniedException")
    denied(run.codedeploy, "AccessDeniedException")
    run("Succeeded")
    assert run.time.passed_s == 2


def test_a_report_that_was_made_before_is_made(run: Hook) -> None:
    denied(run.codedeploy, "LifecycleEventAlreadyCompletedException")
    hook.handler(EVENT, run.time)
    assert run.lines()[0]["status"] == "Succeeded"


@pytest.mark.parametrize("code", ["DeploymentDoesNotExistException", "ThrottlingException"])
def test_a_report_that_cannot_be_made_lets_lambda_invoke_again(run: Hook, code: str) -> None:
    denied(run.codedeploy, code)
    with pytest.raises(ClientError, match=code):
        hook.handler(EVENT, run.time)
    assert run.lines()[0]["status"] == "Succeeded"


def test_a_report_that_stays_denied_ends_before_the_hook_does(run: Hook) -> None:
    for _ in range(200):
        denied(run.codedeploy, "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        hook.handler(EVENT, run.time)
    assert 5_000 < run.time.get_remaining_time_in_millis() < 10_000


@pytest.mark.proof
def test_the_zip_stands_alone(tmp_path: Path) -> None:
    """As Lambda has it: two packages at the top, boto3, and nothing else of this project."""
    for package in (LAMBDA_SRC / "pre_traffic_hook", LAMBDA_SRC.parent / "contract"):
        tmp_path.joinpath(package.name).symlink_to(package)
    program = (
        "import sys; from pre_traffic_hook.main import handler;"
        " print([name for name in sys.modules if name.split('.')[0] in"
        " ('rooms', 'lambda_src', 'msgspec', 'constructs', 'release', 'local')])"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", program],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
