"""The account's DynamoDB: DynamoDB Local, behind the account's endpoint.

A table that CloudFormation makes and the one that functions and clients reach are one. Requests do
not take the account's lock: DynamoDB Local is atomic itself. It lacks tags, and backups, which are
in ``backups.py``.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DynamoDBLocal.UsageNotes.html
"""

import json
import threading
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from http.client import HTTPConnection
from typing import Any, Final

from moto.cloudformation.exceptions import ValidationError
from urllib3.util import wait_for_read
from werkzeug.wrappers import Request, Response

from lambda_runtime.dynamodb_local import starting_dynamodb_local
from local.emulated_aws.account import ACCOUNT_ID, CREDENTIALS, REGION
from local.emulated_aws.backups import Backups, RefusedError

_TARGETS: Final = ("DynamoDB_20120810.", "DynamoDBStreams_20120810.")
_ERRORS: Final = "com.amazonaws.dynamodb.v20120810"
_JSON: Final = "application/x-amz-json-1.0"
_TIMEOUT_SECONDS: Final = 30
# What DynamoDB Local has in the place of the account and its Region.
_ITS_ARN: Final = b"arn:aws:dynamodb:ddblocal:000000000000:"
_OUR_ARN: Final = f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:".encode()
# Nothing verifies it, but DynamoDB Local reads the access key.
_AUTHORIZATION: Final = (
    f"AWS4-HMAC-SHA256 Credential={CREDENTIALS['AWS_ACCESS_KEY_ID']}/20120810/{REGION}/dynamodb/"
    "aws4_request, SignedHeaders=host, Signature=0"
)


class TablesClosedError(Exception):
    """The account has ended."""


class Tables:
    """A DynamoDB Local, which starts when it is first used: most accounts have no table."""

    def __init__(self) -> None:
        """Begin without it."""
        self._kept = threading.local()
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._endpoint: Callable[[], str] | None = None
        self._closed = False
        self._backups = Backups(self.call)

    def start(self) -> Callable[[], str]:
        """Start it, unless it is. What is returned waits for it, and returns its endpoint URL.

        Raises DynamoDbLocalError when it is not installed.
        """
        with self._lock:
            if self._closed:
                raise TablesClosedError
            if self._endpoint is None:
                self._endpoint = self._stack.enter_context(starting_dynamodb_local())
            return self._endpoint

    def close(self) -> None:
        """End it, and let none start."""
        with self._lock:
            self._closed = True
            self._stack.close()

    def is_meant(self, target: str) -> bool:
        """Return whether a request with this ``X-Amz-Target`` is one for DynamoDB."""
        return target.startswith(_TARGETS)

    def answer(self, request: Request) -> Response:
        """Answer a request of the account."""
        passed_on = ("authorization", "content-type", "x-amz-target")
        headers = {name: request.headers[name] for name in passed_on if name in request.headers}
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        status, body = self._operate(operation, headers, request.get_data())
        # As DynamoDB sends it; of the body as it is here, with the account's own ARNs.
        checksum = {"x-amz-crc32": str(zlib.crc32(body))}
        return Response(body, status, checksum, content_type=_JSON)

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Call an operation. Raises ValidationError with DynamoDB's reason."""
        headers = {
            "authorization": _AUTHORIZATION,
            "content-type": _JSON,
            "x-amz-target": f"{_TARGETS[0]}{operation}",
        }
        status, body = self._operate(operation, headers, json.dumps(arguments).encode())
        answer: dict[str, Any] = json.loads(body)
        if status != 200:  # noqa: PLR2004
            kind = answer.get("__type", "").rpartition("#")[2]
            reason = answer.get("message") or answer.get("Message") or ""
            raise ValidationError(message=f"{reason} (Service: DynamoDb, Error Code: {kind})")
        return answer

    def _operate(
        self, operation: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        send = partial(self._send, headers, body)
        backups = self._backups
        if backups.has(operation):
            try:
                return 200, json.dumps(backups.answer(operation, json.loads(body))).encode()
            except RefusedError as error:
                answer = {"__type": f"{_ERRORS}#{error.kind}", "message": str(error)}
                return 400, json.dumps(answer).encode()
        if backups.is_noted(operation, body):
            return backups.noting(operation, json.loads(body), send)
        return send()

    def _send(self, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        connection = self._connection()
        try:
            connection.request("POST", "/", body.replace(_OUR_ARN, _ITS_ARN), headers)
            answer = connection.getresponse()
            return answer.status, answer.read().replace(_ITS_ARN, _OUR_ARN)
        except BaseException:
            connection.close()  # Or the next request would get the rest of this one's answer.
            raise

    def _connection(self) -> HTTPConnection:
        """Return the connection of this thread. Most requests come from threads that stay."""
        place = self.start()().removeprefix("http://")
        kept: HTTPConnection | None = getattr(self._kept, "connection", None)
        if kept is None:
            kept = self._kept.connection = HTTPConnection(place, timeout=_TIMEOUT_SECONDS)
        elif kept.sock is not None and wait_for_read(kept.sock, timeout=0):
            kept.close()  # DynamoDB Local has ended it, and it connects again.
        return kept
