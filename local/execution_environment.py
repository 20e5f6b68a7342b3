"""A Lambda execution environment: a process of a function, which serves many invocations."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from lambda_runtime.runtime_api import RESPONSE_TOO_LARGE, FunctionError

# Lambda allows 10 s; a laptop with cold disk caches may need longer.
INIT_TIMEOUT_SECONDS = 30


class FunctionProcess(Protocol):
    """A process of the function; it handles one event at a time."""

    def start(self, timeout: float) -> FunctionError | None:
        """Start it, and wait at most ``timeout`` seconds until it asks for its first event."""

    def invoke(
        self, event: bytes, *, timeout: float, function_arn: str, request_id: str
    ) -> bytes | FunctionError:
        """Give it one event (JSON) and wait for the payload (JSON) or the error."""

    def is_alive(self) -> bool:
        """Return whether it runs."""

    def close(self) -> None:
        """End it, and every wait for it. Any thread may call this, more than once."""


@dataclass(frozen=True, kw_only=True)
class FunctionProgram:
    """The code of a function, which makes its processes."""

    new_process: Callable[[], FunctionProcess]
    source: Callable[[], object] = lambda: None
    """Returns a fingerprint of the source; when it changes, the next invocation restarts."""
    launched: str = ""
    """The command as Lambda logs it: ``Entrypoint: [...] Cmd: [...]`` and so on."""


class Observer(Protocol):
    """Receives the events of an environment, in this order."""

    def initialized(self, seconds: float, error: FunctionError | None) -> None:
        """A process was started, or could not be."""

    def invoked(self, request_id: str) -> None:
        """An event was sent to it."""

    def answered(self, request_id: str, seconds: float, error: FunctionError | None) -> None:
        """It has answered, or failed."""


class Unobserved:
    """An observer that does nothing."""

    def initialized(self, seconds: float, error: FunctionError | None) -> None:
        """Do nothing."""

    def invoked(self, request_id: str) -> None:
        """Do nothing."""

    def answered(self, request_id: str, seconds: float, error: FunctionError | None) -> None:
        """Do nothing."""


class ExecutionEnvironment:
    """Runs a function, one invocation at a time, in a process that lives between them.

    As in Lambda, a timeout, a crash or too much memory ends the process, and the next invocation
    starts a new one. Unlike in Lambda, so does a change of the program's source.
    """

    def __init__(
        self,
        program: FunctionProgram,
        *,
        timeout_seconds: float,
        function_arn: str,
        observer: Observer | None = None,
    ) -> None:
        """``function_arn`` is that of invocations that name no other."""
        self._program = program
        self._timeout_seconds = timeout_seconds
        self._function_arn = function_arn
        self._observer = observer or Unobserved()
        self._one_at_a_time = threading.Lock()
        self._process: FunctionProcess | None = None
        self._source: object = None
        self._closed = False

    def start(self) -> FunctionError | None:
        """Load the handler now. Returns the runtime client's error when that fails."""
        with self._one_at_a_time:
            return self._ensure_running()

    def invoke(
        self, event: bytes, *, function_arn: str | None = None, request_id: str | None = None
    ) -> bytes | FunctionError:
        """Run the handler on an event (JSON) and return its payload (JSON) or its error."""
        request_id = request_id or str(uuid.uuid4())
        with self._one_at_a_time:
            started = time.monotonic()
            outcome: bytes | FunctionError
            if error := self._ensure_running():
                outcome = error
                self._observer.invoked(request_id)
            else:
                started = time.monotonic()
                self._observer.invoked(request_id)
                outcome = self._run(event, function_arn or self._function_arn, request_id)
            failed = outcome if isinstance(outcome, FunctionError) else None
            self._observer.answered(request_id, time.monotonic() - started, failed)
            return outcome

    def close(self) -> None:
        """End the process, even in the middle of an invocation."""
        self._closed = True
        if (process := self._process) is not None:
            process.close()
        with self._one_at_a_time:
            self._end_process()

    def _run(self, event: bytes, function_arn: str, request_id: str) -> bytes | FunctionError:
        assert self._process is not None  # noqa: S101  (it runs: no error)
        outcome = self._process.invoke(
            event,
            timeout=self._timeout_seconds,
            function_arn=function_arn,
            request_id=request_id,
        )
        too_large = isinstance(outcome, FunctionError) and outcome.type == RESPONSE_TOO_LARGE
        if too_large or not self._process.is_alive():  # The client ends when it is refused.
            self._end_process()
        return outcome

    def _ensure_running(self) -> FunctionError | None:
        if self._closed:
            return FunctionError("Runtime.ExitError", "the execution environment is closed")
        source = self._program.source()
        if self._process is not None and (self._source != source or not self._process.is_alive()):
            self._end_process()
        if self._process is not None:
            return None
        started = time.monotonic()
        self._process, self._source = self._program.new_process(), source
        error = self._process.start(INIT_TIMEOUT_SECONDS)
        if error is not None:
            self._end_process()
        self._observer.initialized(time.monotonic() - started, error)
        return error

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None
