"""Runs AWS's runtime client for Python in a process of this machine's interpreter."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from lambda_runtime.exit_reason import exit_reason
from lambda_runtime.runtime_api import FunctionError, RuntimeApi, invoke_or_end

if sys.platform == "linux":
    import resource

_LOCAL_VARIABLES: Final = {
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    # The code of a deployed function is read-only, and no bytecode appears beside it.
    "PYTHONDONTWRITEBYTECODE": "1",
}


class RuntimeClient:
    """One process of the runtime client with the code of a folder.

    Memory is limited as in Lambda. Unlike there, the interpreter is this one, and it also finds its
    own packages, after those of the folder and of ``layers``.
    """

    def __init__(
        self,
        handler: str,
        *,
        task_root: Path,
        environment: Mapping[str, str],
        memory_mb: int,
        log: Callable[[str], None],
        layers: Sequence[Path] = (),
    ) -> None:
        """``log`` gets each line of output, from another thread. Nothing runs before ``start``."""
        self._handler = handler
        self._task_root = task_root
        self._environment = {
            **environment,
            **_LOCAL_VARIABLES,
            "LAMBDA_TASK_ROOT": str(task_root),
            "PYTHONPATH": os.pathsep.join(map(str, layers)),
        }
        self._memory_bytes = memory_mb * 1024 * 1024
        self._log = log
        self._resources = ExitStack()
        self._api: RuntimeApi | None = None
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float) -> FunctionError | None:
        """Load the handler in at most ``timeout`` seconds. Returns the error when that fails."""
        with ExitStack() as stack:
            api = self._api = stack.enter_context(RuntimeApi())
            popen = self._popen = subprocess.Popen(  # noqa: S603  (our own interpreter)
                [sys.executable, "-m", "awslambdaric", self._handler],
                cwd=self._task_root,
                env={**self._environment, "AWS_LAMBDA_RUNTIME_API": api.address},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                # Its own group: Ctrl-C in the terminal is ours to handle, and its children end too.
                start_new_session=True,
            )
            reader = threading.Thread(target=self._read_log, args=(popen, api), daemon=True)
            stack.callback(reader.join)
            stack.callback(self._kill)
            if sys.platform == "linux":
                limit = (self._memory_bytes, self._memory_bytes)
                resource.prlimit(popen.pid, resource.RLIMIT_DATA, limit)
            reader.start()
            self._resources = stack.pop_all()
        error = api.wait_until_ready(timeout)
        if error is not None:
            self.close()
        return error

    def invoke(
        self, event: bytes, *, timeout: float, function_arn: str, request_id: str
    ) -> bytes | FunctionError:
        """Give the process one event (JSON). After ``timeout`` seconds it is ended."""
        assert self._api is not None, "it has not been started"  # noqa: S101  (the caller's fault)
        return invoke_or_end(
            self._api,
            event,
            timeout=timeout,
            function_arn=function_arn,
            end=self._kill,
            request_id=request_id,
        )

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        return self._popen is not None and self._popen.poll() is None

    def send_signal(self, number: int) -> None:
        """Send a signal to the process and its children; none, when it has ended."""
        if self._popen is not None and self.is_alive():
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, number)

    def close(self) -> None:
        """End the process and its children. Their output has been logged then."""
        self._resources.close()

    def _kill(self) -> None:
        if self._popen is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()

    def _read_log(self, popen: subprocess.Popen[bytes], api: RuntimeApi) -> None:
        assert popen.stdout is not None  # noqa: S101  (a pipe, see above)
        with popen.stdout as output:
            for line in output:
                self._log(line.decode("utf-8", "replace").rstrip("\r\n"))
        api.report_end(FunctionError("Runtime.ExitError", exit_reason(popen.wait())))


def source_fingerprint(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return path, modification time and size of every file of the function."""
    return tuple(sorted(_fingerprints(str(folder))))


def _fingerprints(folder: str) -> Iterator[tuple[str, int, int]]:
    """Yield it in any order. It is asked for before every invocation, so it does without Path."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _fingerprints(entry.path)
            elif entry.is_file():
                stat = entry.stat()
                yield entry.path, stat.st_mtime_ns, stat.st_size
