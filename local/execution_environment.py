"""One Lambda execution environment: the real runtime client in a process with Lambda's limits."""

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from local.runtime_api import RESPONSE_TOO_LARGE, FunctionError, RuntimeApi

if sys.platform == "linux":
    import resource

# Lambda gives an init 10 s; a laptop that reads every file for the first time may need longer.
INIT_TIMEOUT_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """What a deployed function's configuration says about how it runs."""

    name: str
    version: str
    arn: str
    """The ARN it is invoked by, with its qualifier."""
    handler: str
    memory_mb: int
    timeout_seconds: int
    region: str
    log_group: str
    log_format: str = "Text"
    log_level: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


class ExecutionEnvironment:
    """Runs a function's handler, one invocation at a time, in a process that lives between them.

    As in Lambda, the process ends with a timeout, a crash or too much memory, and the next
    invocation starts a new one. Other than in Lambda, it also does when a source file has changed.
    """

    def __init__(
        self,
        settings: FunctionSettings,
        *,
        task_root: Path,
        endpoint_url: str,
        log: Callable[[str], None],
    ) -> None:
        """Take the code from ``task_root``; AWS is at ``endpoint_url``; ``log`` gets each line."""
        self._settings = settings
        self._task_root = task_root
        self._endpoint_url = endpoint_url
        self._log = log
        self._one_at_a_time = threading.Lock()
        self._process: _Process | None = None
        self._closed = False

    def start(self) -> FunctionError | None:
        """Load the handler now. Returns what the runtime client reports if it cannot."""
        with self._one_at_a_time:
            return self._ensure_running()

    def invoke(self, event: bytes) -> bytes | FunctionError:
        """Run the handler on an event (JSON) and return its payload (JSON) or its error."""
        with self._one_at_a_time:
            if error := self._ensure_running():
                return error
            assert self._process is not None  # noqa: S101  (it runs: no error)
            outcome = self._process.invoke(event, self._settings)
            too_large = isinstance(outcome, FunctionError) and outcome.type == RESPONSE_TOO_LARGE
            if too_large or not self._process.is_alive():  # The client ends when it is refused.
                self._end_process()
            return outcome

    def close(self) -> None:
        """End the process, if there is one, also in the middle of an invocation."""
        self._closed = True
        if (process := self._process) is not None:
            process.kill()
        with self._one_at_a_time:
            self._end_process()

    def _ensure_running(self) -> FunctionError | None:
        if self._closed:
            return FunctionError("Runtime.ExitError", "the execution environment is closed")
        source = source_fingerprint(self._task_root)
        if self._process is not None and (
            self._process.source != source or not self._process.is_alive()
        ):
            self._end_process()
        if self._process is None:
            self._process = _Process(
                self._settings, self._task_root, self._endpoint_url, self._log, source
            )
            if error := self._process.init_error():
                self._end_process()
                return error
        return None

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None


class _Process:
    """The runtime client's process, its Runtime API, and the thread that reads its log."""

    def __init__(
        self,
        settings: FunctionSettings,
        task_root: Path,
        endpoint_url: str,
        log: Callable[[str], None],
        source: object,
    ) -> None:
        self.source = source
        with ExitStack() as stack:
            self._api = stack.enter_context(RuntimeApi())
            self._popen = subprocess.Popen(  # noqa: S603  (our own interpreter and handler)
                [sys.executable, "-m", "awslambdaric", settings.handler],
                cwd=task_root,
                env=_environment(settings, task_root, endpoint_url, self._api.address),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                # Its own group: Ctrl-C in the terminal is ours to handle, and its children end too.
                start_new_session=True,
            )
            stack.callback(self.kill)
            if sys.platform == "linux":
                limit = settings.memory_mb * 1024 * 1024
                resource.prlimit(self._popen.pid, resource.RLIMIT_DATA, (limit, limit))
            self._reader = threading.Thread(target=self._read_log, args=(log,), daemon=True)
            self._reader.start()
            self._resources = stack.pop_all()

    def init_error(self) -> FunctionError | None:
        try:
            return self._api.wait_until_ready(INIT_TIMEOUT_SECONDS)
        except TimeoutError:
            message = f"the handler was not loaded within {INIT_TIMEOUT_SECONDS} s"
            return FunctionError("Sandbox.Timedout", message)

    def invoke(self, event: bytes, settings: FunctionSettings) -> bytes | FunctionError:
        request_id = str(uuid.uuid4())
        timeout = settings.timeout_seconds
        try:
            outcome = self._api.invoke(
                event, timeout=timeout, function_arn=settings.arn, request_id=request_id
            )
        except TimeoutError:
            self.kill()
            message = f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds"
            return FunctionError("Sandbox.Timedout", message)
        if isinstance(outcome, FunctionError) and outcome.type == "Runtime.ExitError":
            return FunctionError(outcome.type, f"RequestId: {request_id} Error: {outcome.message}")
        return outcome

    def is_alive(self) -> bool:
        return self._popen.poll() is None

    def kill(self) -> None:
        """End the process and its children, and wait for it."""
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()

    def close(self) -> None:
        self.kill()
        self._reader.join()
        self._resources.close()

    def _read_log(self, log: Callable[[str], None]) -> None:
        assert self._popen.stdout is not None  # noqa: S101  (a pipe, see above)
        with self._popen.stdout as output:
            for line in output:
                log(line.decode("utf-8", "replace").rstrip("\r\n"))
        self._api.report_end(FunctionError("Runtime.ExitError", _exit_reason(self._popen.wait())))


def source_fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Path, modification time and size of every file that is part of the function."""
    return tuple(
        (str(path.relative_to(folder)), stat.st_mtime_ns, stat.st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
        for stat in [path.stat()]
    )


def _environment(
    settings: FunctionSettings, task_root: Path, endpoint_url: str, runtime_api: str
) -> dict[str, str]:
    """Give the process the function's own variables and those that Lambda sets, nothing of ours.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    reserved = {
        "_HANDLER": settings.handler,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_REGION": settings.region,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": settings.name,
        "AWS_LAMBDA_FUNCTION_VERSION": settings.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": settings.log_format,
        "AWS_LAMBDA_LOG_GROUP_NAME": settings.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[{settings.version}]{uuid.uuid4().hex}",
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": str(task_root),
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        # The code of a deployed function is read-only, and no bytecode appears beside it.
        "PYTHONDONTWRITEBYTECODE": "1",
        "TZ": ":UTC",
    }
    if settings.log_level:
        reserved["AWS_LAMBDA_LOG_LEVEL"] = settings.log_level
    return {**settings.environment, **reserved}


def _exit_reason(return_code: int) -> str:
    if return_code == 0:
        return "Runtime exited without providing a reason"
    if return_code < 0:
        return f"Runtime exited with error: signal: {_signal_name(-return_code)}"
    return f"Runtime exited with error: exit status {return_code}"


def _signal_name(number: int) -> str:
    return (signal.strsignal(number) or str(number)).lower()
