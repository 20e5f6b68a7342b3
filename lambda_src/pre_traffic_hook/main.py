"""CodeDeploy's pre-traffic hook: runs the contract test on a new version and reports the result.

https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import time
import traceback
import uuid
from typing import TYPE_CHECKING, Any, Final, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from contract.event import contract_event, parse_response
from contract.run import ContractTestError, NoResponseError, run_contract_test

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract.run import ContractRequest, ContractResponse, ContractStep

CONNECT_TIMEOUT_S: Final = 3
ANSWER_TIMEOUT_S: Final = 45
"""Longer than any stage lets its function start (10 s) and run (29 s at most)."""

REPORT_S: Final = 30
"""The part of the hook's own time that is kept for its report."""

PATIENCE_S: Final = 20
"""How long a new permission and a new version may take until they work everywhere."""

_PAUSE_S: Final = 1
_LAST_REPORT_S: Final = 10
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})
# What Lambda says of a version that is Pending; the function was not started.
_PENDING: Final = frozenset({"CodeArtifactUserPendingException", "ResourceConflictException"})
_LONGEST_TEXT: Final = 500
_logger = logging.getLogger(__name__)


class Context(Protocol):
    """The part of Lambda's context object that the hook uses."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long this invocation may still take."""


def handler(event: Mapping[str, str], context: Context) -> None:
    """Test the version in ``NEW_VERSION_ARN``, and report the result to CodeDeploy in any case.

    Logs one line with the outcome: no token, nothing of a room. Raises only when the report itself
    fails; then Lambda invokes the hook again.
    """
    outcome = _test(os.environ.get("NEW_VERSION_ARN", ""), context)
    failed = outcome["status"] == "Failed"
    _logger.log(
        logging.ERROR if failed else logging.INFO,
        "pre-traffic hook",
        extra={"deploymentId": event["DeploymentId"], **outcome},
    )
    _report(event, outcome["status"], context)


def _test(arn: str, context: Context) -> dict[str, Any]:
    outcome: dict[str, Any] = {"version": arn.rpartition(":")[2], "status": "Failed", "steps": []}
    try:
        _require_number(arn)
        steps = run_contract_test(_Invocations(arn, context))
    except ContractTestError as error:
        found = " ".join(error.found.split())[:_LONGEST_TEXT]
        return outcome | {"step": error.step, "found": found, "steps": _listed(error.done)}
    except Exception as error:  # noqa: BLE001  (without a report CodeDeploy waits for an hour)
        found = f"the hook itself failed: {type(error).__name__}"
        return outcome | {
            "step": "hook",
            "found": found,
            "trace": traceback.format_tb(error.__traceback__),
        }
    return outcome | {"status": "Succeeded", "steps": _listed(steps)}


def _require_number(arn: str) -> None:
    """Refuse an alias or the function itself: either could stand for another version."""
    if not arn.rpartition(":")[2].isdecimal():
        raise ContractTestError(
            "invoke", f"NEW_VERSION_ARN {arn!r} does not end with the number of a version"
        )


def _listed(steps: list[ContractStep] | tuple[ContractStep, ...]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(step) for step in steps]


class _Invocations:
    """Sends requests as invocations of a version, as API Gateway would, within the hook's time."""

    def __init__(self, arn: str, context: Context) -> None:
        self._arn = arn
        self._context = context
        self._client = _client("lambda", ANSWER_TIMEOUT_S, attempts=1)
        self._patient_until = time.monotonic() + PATIENCE_S

    def __call__(self, request: ContractRequest) -> ContractResponse:
        event = json.dumps(contract_event(request, request_id=str(uuid.uuid4())))
        while True:
            self._require_time()
            try:
                answer = self._client.invoke(FunctionName=self._arn, Payload=event)
                payload = answer["Payload"].read()
                break
            except ReadTimeoutError as error:
                raise NoResponseError(f"no answer within {ANSWER_TIMEOUT_S} seconds") from error
            except BotoCoreError as error:
                raise NoResponseError(str(error)) from error
            except ClientError as error:
                if _code(error) not in _DENIED | _PENDING or time.monotonic() > self._patient_until:
                    raise NoResponseError(f"{_code(error)}: {_message(error)}") from error
            time.sleep(_PAUSE_S)
        if "FunctionError" in answer:
            raise NoResponseError(_function_error(payload))
        return parse_response(payload)

    def _require_time(self) -> None:
        left = self._context.get_remaining_time_in_millis() / 1000 - REPORT_S
        if left < CONNECT_TIMEOUT_S + ANSWER_TIMEOUT_S:
            raise NoResponseError(
                "the earlier answers took so long that no time is left for this one"
            )


def _function_error(payload: bytes) -> str:
    """Return the error type and message of Lambda's answer for a function that failed."""
    try:
        error = json.loads(payload)
        return f"{error.get('errorType', 'Unhandled')}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "the function failed, and Lambda does not say how"


def _report(event: Mapping[str, str], status: str, context: Context) -> None:
    client = _client("codedeploy", 5, attempts=3)
    while True:
        try:
            client.put_lifecycle_event_hook_execution_status(
                deploymentId=event["DeploymentId"],
                lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
                status=status,
            )
        except ClientError as error:
            # Lambda may hand over an event twice; or the answer to an earlier report was lost.
            if _code(error) == "LifecycleEventAlreadyCompletedException":
                return
            left = context.get_remaining_time_in_millis() / 1000
            if _code(error) not in _DENIED or left < _LAST_REPORT_S:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _client(service: str, timeout_s: float, *, attempts: int) -> Any:
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=timeout_s,
        retries={"mode": "standard", "total_max_attempts": attempts},
    )
    return boto3.client(service, config=config)  # type: ignore[call-overload]


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))


def _message(error: ClientError) -> str:
    return str(error.response["Error"].get("Message", ""))
