"""The Lambda Runtime API: the HTTP server that gives events to a function's runtime client.

Specification: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, version 2018-06-01.
"""

import json
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

VERSION = "2018-06-01"
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html ("invocation payload").
MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100
RESPONSE_TOO_LARGE = "Function.ResponseSizeTooLarge"


TIMED_OUT: Final = "Sandbox.Timedout"
"""Lambda's error type for a process that takes too long."""


@dataclass(frozen=True)
class FunctionError:
    """An error of the function, as its runtime client or Lambda reports it."""

    type: str
    message: str
    stack_trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Type and message, then the stack trace."""
        return "\n".join((f"{self.type}: {self.message}", "".join(self.stack_trace))).rstrip()


@dataclass(frozen=True)
class _Invocation:
    request_id: str
    event: bytes
    headers: dict[str, str]


class RuntimeApi:
    """Serves the Runtime API to one runtime process, one invocation at a time.

    Use it as a context manager, and start the process with ``AWS_LAMBDA_RUNTIME_API=<address>``.
    Each process needs a new one, because the reports of a process are final.
    """

    def __init__(self) -> None:
        """Bind a free port on the loopback interface; serving starts on entering the context."""
        self._changed = threading.Condition()
        self._ready = False
        self._ended: FunctionError | None = None
        self._queued: _Invocation | None = None
        self._running: _Invocation | None = None
        self._outcome: bytes | FunctionError | None = None
        self._server = _Server(self)

    def __enter__(self) -> Self:
        """Start serving in a thread."""
        threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="runtime-api", daemon=True
        ).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving; every wait ends with ``Runtime.ExitError``."""
        self.report_end(FunctionError("Runtime.ExitError", "the Runtime API was stopped"))
        self._server.shutdown()
        self._server.server_close()

    @property
    def address(self) -> str:
        """``host:port``, the value for ``AWS_LAMBDA_RUNTIME_API``."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def wait_until_ready(self, timeout: float) -> FunctionError | None:
        """Wait until the process asks for its first event: then the handler has been loaded.

        Returns the error if the process reported one, or ended, before that, and Lambda's own after
        ``timeout`` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._ready or self._ended, timeout):
                message = f"the runtime did not ask for an event within {timeout:g} s"
                return FunctionError(TIMED_OUT, message)
            return None if self._ready else self._ended

    def invoke(
        self, event: bytes, *, timeout: float, function_arn: str, request_id: str | None = None
    ) -> bytes | FunctionError:
        """Give the process one event (JSON) and wait for its payload or error.

        Raises TimeoutError after ``timeout`` seconds; the process still handles the event then, so
        end it. Only one thread may call this at a time.
        """
        request_id = request_id or str(uuid.uuid4())
        trace_id = f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0"
        deadline_ms = int((time.time() + timeout) * 1000)
        invocation = _Invocation(
            request_id,
            event,
            {
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": function_arn,
                "Lambda-Runtime-Trace-Id": trace_id,
            },
        )
        with self._changed:
            self._outcome = None
            self._queued = invocation
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._outcome is not None or self._ended, timeout)
            outcome = self._ended if self._outcome is None else self._outcome
            if outcome is None:
                raise TimeoutError(f"no answer within {timeout} s")
            return outcome

    def report_end(self, error: FunctionError) -> None:
        """Record that the process has ended, so that every wait for it ends."""
        with self._changed:
            self._ended = self._ended or error
            self._changed.notify_all()

    def take(self) -> _Invocation | None:
        """Block until there is an event for the process; None when there are no more."""
        with self._changed:
            self._ready = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._queued or self._ended)
            self._running, self._queued = self._queued, None
            return self._running

    def answer(self, request_id: str, outcome: bytes | FunctionError) -> bool:
        """Record the process's answer; False when this is not the event that it was given."""
        with self._changed:
            if self._running is None or self._running.request_id != request_id:
                return False
            self._running, self._outcome = None, outcome
            self._changed.notify_all()
            return True


def invoke_or_end(
    api: RuntimeApi,
    event: bytes,
    *,
    timeout: float,
    function_arn: str,
    end: Callable[[], None],
    request_id: str | None = None,
) -> bytes | FunctionError:
    """Invoke, and end the process with ``end`` after ``timeout`` seconds, as Lambda does.

    Returns the payload or the error; Lambda's own error where the process does not answer.
    """
    request_id = request_id or str(uuid.uuid4())
    try:
        outcome = api.invoke(
            event, timeout=timeout, function_arn=function_arn, request_id=request_id
        )
    except TimeoutError:
        end()
        message = f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds"
        return FunctionError(TIMED_OUT, message)
    if isinstance(outcome, FunctionError) and outcome.type == "Runtime.ExitError":
        return FunctionError(outcome.type, f"RequestId: {request_id} Error: {outcome.message}")
    return outcome


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing when a process was killed meanwhile: ``report_end`` reports that."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one packet: two of them cost a delayed ACK, 40 ms, on every call.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self._segments() != ["invocation", "next"]:
            return self._refuse(HTTPStatus.NOT_FOUND, "InvalidPath")
        invocation = self.server.api.take()
        if invocation is None:
            self.close_connection = True
            return None
        return self._send(HTTPStatus.OK, invocation.event, invocation.headers)

    def do_POST(self) -> None:
        body = self._body()
        match self._segments():
            case ["init", "error"]:
                self.server.api.report_end(_function_error(body))
                return self._accept()
            case ["invocation", request_id, "response"] if len(body) > MAX_RESPONSE_BYTES:
                message = (
                    "Response payload size exceeded maximum allowed payload size "
                    f"({MAX_RESPONSE_BYTES} bytes)."
                )
                error = FunctionError(RESPONSE_TOO_LARGE, message)
                self.server.api.answer(request_id, error)
                return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, error.type)
            case ["invocation", request_id, "response"]:
                accepted = self.server.api.answer(request_id, body)
            case ["invocation", request_id, "error"]:
                accepted = self.server.api.answer(request_id, _function_error(body))
            case _:
                return self._refuse(HTTPStatus.NOT_FOUND, "InvalidPath")
        return (
            self._accept() if accepted else self._refuse(HTTPStatus.BAD_REQUEST, "InvalidRequestID")
        )

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (named by http.server)
        """Log nothing: the function has its own log."""

    def _segments(self) -> list[str]:
        prefix = f"/{VERSION}/runtime/"
        return self.path.removeprefix(prefix).split("/") if self.path.startswith(prefix) else []

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = list(iter(self._chunk, b""))
        return b"".join(chunks)

    def _chunk(self) -> bytes:
        chunk = self.rfile.read(int(self.rfile.readline().split(b";")[0], 16))
        self.rfile.readline()
        return chunk

    def _accept(self) -> None:
        self._send(HTTPStatus.ACCEPTED, b'{"status":"OK"}\n')

    def _refuse(self, status: HTTPStatus, error_type: str) -> None:
        self._send(
            status, json.dumps({"errorMessage": status.phrase, "errorType": error_type}).encode()
        )

    def _send(self, status: HTTPStatus, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _function_error(body: bytes) -> FunctionError:
    try:
        report = json.loads(body)
        stack = report.get("stackTrace") or []
        return FunctionError(
            str(report.get("errorType", "")),
            str(report.get("errorMessage", "")),
            tuple(str(line) for line in stack),
        )
    except (ValueError, AttributeError, TypeError):
        return FunctionError("Runtime.Unknown", body.decode("utf-8", "replace"))
