"""One harmless invocation of ``live``: a GET of a room that does not exist."""

import base64
import binascii
import json
from typing import Any, Final
from uuid import uuid4

from contract.event import contract_event, parse_response
from contract.run import ContractRequest, NoResponseError
from release.diagnosis.log_lines import Line, read_line
from release.diagnosis.outcome import (
    ROOM_THAT_IS_NOT,
    Answered,
    Failed,
    InvocationOutcome,
    Silent,
    TurnedAway,
)

_ROUTE: Final = "GET /rooms/{roomId}"
_OURS: Final = (
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "UnrecognizedClientException",
)
"""Errors of the caller; they say nothing about the function."""


def invoke_live(lambda_: Any, name: str, *, seconds: float) -> InvocationOutcome:
    """Invoke live, and return the outcome.

    ``lambda_`` is a client that does not retry and waits ``seconds`` for an answer. Raises
    botocore's errors where Lambda was not reached, or does not let the caller invoke.
    """
    from botocore.exceptions import ClientError, ReadTimeoutError  # noqa: PLC0415  (slow)

    request = ContractRequest(_ROUTE, ROOM_THAT_IS_NOT)
    try:
        answer = lambda_.invoke(
            FunctionName=name,
            Qualifier="live",
            LogType="Tail",
            Payload=json.dumps(contract_event(request, request_id=f"diagnose-{uuid4()}")).encode(),
        )
        payload: bytes = answer["Payload"].read()
    except ClientError as error:
        said = error.response["Error"]
        message = said.get("Message", "")
        if said["Code"] in _OURS and "cannot be assumed" not in message:
            raise
        return TurnedAway(said["Code"], str(error.response.get("Reason", "")), message)
    except ReadTimeoutError:
        return Silent(seconds)
    tail = _tail(answer.get("LogResult", ""), answer.get("ExecutedVersion", ""))
    if answer.get("FunctionError"):
        return _failed(payload, tail)
    try:
        response = parse_response(payload)
    except NoResponseError:
        return Answered(0, tail=tail)
    return Answered(response.status, _code(response.body), tail)


def _failed(payload: bytes, tail: tuple[Line, ...]) -> Failed:
    try:
        error = json.loads(payload)
        return Failed(str(error.get("errorType", "")), str(error.get("errorMessage", "")), tail)
    except (ValueError, AttributeError):
        return Failed("", "an error without a message", tail)


def _tail(encoded: str, version: str) -> tuple[Line, ...]:
    """Read the last 4 KB of the log: lines, but for an error's, which are two or more."""
    try:
        text = base64.b64decode(encoded).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ()
    lines = [read_line(line, version=version) for line in _entries(text)]
    return tuple(line for line in lines if line)


def _entries(text: str) -> list[str]:
    entries: list[str] = []
    for line in text.splitlines():
        # `RequestId: … Error: …` is followed by a line that has nothing but the type.
        if entries and line.count(".") == 1 and " " not in line and line[:1].isupper():
            entries[-1] += f"\n{line}"
        else:
            entries.append(line)
    return entries


def _code(body: Any) -> str:
    try:
        return str(body["error"]["code"])
    except (KeyError, TypeError):
        return ""
