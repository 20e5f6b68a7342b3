"""Runs the program of an image in a sandbox like Lambda's, under the Runtime API."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, Self

from lambda_runtime.exit_reason import exit_reason
from lambda_runtime.image_sandbox.bubblewrap import as_root, bubblewrap
from lambda_runtime.image_sandbox.tools import ImageSandboxError
from lambda_runtime.image_sandbox.users import users_file, users_with_lambdas
from lambda_runtime.runtime_api import TIMED_OUT, FunctionError, RuntimeApi, invoke_or_end

_LAUNCHER: Final = Path(__file__).with_name("launch.py")
_WITHOUT_ROOT: Final = (
    "without root it needs user namespaces, and subordinate ids for the user:"
    " usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER"
)
_LAST_LINES_SECONDS: Final = 5
_MAX_LINE_BYTES: Final = 256 * 1024


class ImageSandbox:
    """One process of an image: it starts once, answers events, and ends with the context.

    As in Lambda: user 993 of group 990, who owns no file of the image; a read-only root, in which
    only /tmp (empty, 512 MB) is writable; a home that does not exist; no privileges; nothing of
    this machine is visible but its network. Unlike in Lambda, the CPU is this machine's.
    """

    def __init__(
        self,
        rootfs: Path,
        *,
        command: Sequence[str],
        workdir: str,
        environment: Mapping[str, str],
        log: Callable[[str], None],
        memory_mb: int | None = None,
    ) -> None:
        """``rootfs`` is the unpacked image; missing mount points are created in it.

        ``command`` is ENTRYPOINT and CMD; an empty ``workdir`` is the root. ``environment`` is
        complete but for the Runtime API's address. ``memory_mb`` (MiB) limits what the process may
        allocate. ``log`` gets each line of its output, from another thread.
        """
        self._rootfs = rootfs.resolve()
        self._command = list(command)
        self._workdir = workdir or "/"
        self._environment = dict(environment)
        self._memory_mb = memory_mb
        self._log = log
        self._last_lines: deque[str] = deque(maxlen=10)
        self._resources = ExitStack()
        self._api: RuntimeApi | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: threading.Thread | None = None
        self._report: dict[str, Any] = {}

    def __enter__(self) -> Self:
        """Nothing runs before ``start``."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all processes."""
        self.close()

    @property
    def errno(self) -> int | None:
        """Why the program did not start or its working directory is closed to it; see errno(3)."""
        number: int | None = self._report.get("errno")
        return number

    @property
    def exit_code(self) -> int | None:
        """The exit status of the program; negative for a signal; None when the sandbox ended it."""
        code: int | None = None if "failed" in self._report else self._report.get("exit")
        return code

    def start(self, timeout: float) -> FunctionError | None:
        """Start the program and wait until it asks for its first event, at most ``timeout`` s.

        Returns Lambda's error when it does not get so far; nothing runs then. Raises
        ImageSandboxError when the sandbox cannot be set up.
        """
        if error := self._invalid_configuration():
            return error
        try:
            error = self._start_process().wait_until_ready(timeout)
            # What still runs says no last words.
            if error is not None and error.type != TIMED_OUT:
                self._wait(_LAST_LINES_SECONDS)
        except BaseException:
            self.close()
            raise
        if error is not None:
            self.close()
            self._require_set_up(error)
        return error

    def invoke(
        self, event: bytes, *, timeout: float, function_arn: str, request_id: str | None = None
    ) -> bytes | FunctionError:
        """Give the program one event (JSON); return its payload (JSON) or the error.

        After ``timeout`` seconds, or when it ends, the process is gone: see ``is_alive``. Only one
        thread may call this at a time.
        """
        assert self._api is not None, "it has not been started"  # noqa: S101  (the caller's fault)
        return invoke_or_end(
            self._api,
            event,
            timeout=timeout,
            function_arn=function_arn,
            end=self.close,
            request_id=request_id,
        )

    def is_alive(self) -> bool:
        """Return whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End all processes and every wait for them. Their output has been logged then."""
        self._resources.close()

    def _invalid_configuration(self) -> FunctionError | None:
        # https://github.com/aws/aws-lambda-runtime-interface-emulator, rie/simple_bootstrap.go
        if not self._workdir.startswith("/"):
            message = (
                f"the working directory '{self._workdir}' is invalid, it needs to be an absolute"
                " path"
            )
            return FunctionError("Runtime.InvalidWorkingDir", message)
        if not self._command:
            return FunctionError(
                "Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): []"
            )
        return None

    def _start_process(self) -> RuntimeApi:
        plan: dict[str, Any] = {
            "rootfs": str(self._rootfs),
            "command": self._command,
            "workdir": self._workdir,
            "memory_bytes": (self._memory_mb or 0) * 1024 * 1024,
        }
        with ExitStack() as stack:
            self._api = stack.enter_context(RuntimeApi())
            address = {"AWS_LAMBDA_RUNTIME_API": self._api.address}
            plan["environment"] = {**self._environment, **address}
            report = stack.enter_context(tempfile.TemporaryFile())
            over = stack.enter_context(_users_over(self._rootfs))
            process = subprocess.Popen(  # noqa: S603  (bubblewrap, and what it is told is ours)
                [
                    *as_root(),
                    *bubblewrap(self._rootfs, over),
                    *(sys.executable, "-I", "-S", "-X", "utf8", str(_LAUNCHER)),
                    str(report.fileno()),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[report.fileno()],
                start_new_session=True,  # Ctrl-C in the terminal is ours to handle.
            )
            self._process = process
            watched = (process, report, self._api)
            self._watcher = threading.Thread(target=self._watch, args=watched, daemon=True)
            self._watcher.start()
            stack.callback(self._end_process, process)
            assert process.stdin is not None  # noqa: S101  (a pipe, see above)
            with suppress(BrokenPipeError):  # It has ended, and logged the reason.
                process.stdin.write(json.dumps(plan).encode() + b"\n")
                process.stdin.flush()
            self._resources = stack.pop_all()
            return self._api

    def _end_process(self, process: subprocess.Popen[bytes]) -> None:
        # The launcher ends with its input. It is the first process of its namespace, so all others
        # are killed, and bubblewrap waits for that.
        assert process.stdin is not None  # noqa: S101  (a pipe, see above)
        with suppress(BrokenPipeError):
            process.stdin.close()
        self._wait()

    def _wait(self, timeout: float | None = None) -> None:
        assert self._watcher is not None  # noqa: S101
        self._watcher.join(timeout)

    def _watch(self, process: subprocess.Popen[bytes], report: IO[bytes], api: RuntimeApi) -> None:
        assert process.stdout is not None  # noqa: S101  (a pipe, see above)
        try:
            with process.stdout as output:
                for line in iter(lambda: output.readline(_MAX_LINE_BYTES), b""):
                    text = line.decode("utf-8", "replace").rstrip("\r\n")
                    self._last_lines.append(text)
                    self._log(text)
        finally:
            process.wait()
            report.seek(0)
            for line in report:
                self._report = {**json.loads(line), **self._report}
            api.report_end(self._end_error())

    def _end_error(self) -> FunctionError:
        """Return Lambda's error for the end of the program."""
        match self._report:
            case {"failed": "workdir"}:
                message = f"the working directory doesn't exist: {self._workdir}"
                return FunctionError("Runtime.InvalidWorkingDir", message)
            case {"failed": "start", "errno": errno}:
                command = [self._report.get("program", self._command[0])]
                return FunctionError("Runtime.InvalidEntrypoint", exec_error(command, errno))
            case {"exit": code}:
                return FunctionError("Runtime.ExitError", exit_reason(code))
        return FunctionError("Runtime.ExitError", "the process was ended")

    def _require_set_up(self, error: FunctionError) -> None:
        """Raise ImageSandboxError when the sandbox ended, and not the program in it."""
        if self._report.get("failed") == "sandbox":
            why = os.strerror(self._report["errno"])
        elif error.type == "Runtime.ExitError" and not self._report:
            why = " ".join(self._last_lines)
        else:
            return
        hint = None if os.geteuid() == 0 else _WITHOUT_ROOT
        raise ImageSandboxError(f"the sandbox cannot be set up: {why}", hint=hint)


def exec_error(command: Sequence[str], errno: int) -> str:
    """Return the message of Go, with which Lambda starts programs, for one that did not start."""
    if command[0] and "/" not in command[0]:
        return f'exec: "{command[0]}": executable file not found in $PATH'
    text = os.strerror(errno)
    return f"fork/exec {command[0]}: {text[0].lower()}{text[1:]}"


@contextmanager
def _users_over(rootfs: Path) -> Iterator[dict[Path, Path]]:
    """Write the image's list of users with Lambda's in it; yield what lies where for it."""
    own = users_file(rootfs)
    if own is None:
        yield {}
        return
    with tempfile.NamedTemporaryFile(prefix="passwd-") as file:
        file.write(users_with_lambdas(own.read_bytes()))
        file.flush()
        Path(file.name).chmod(0o644)
        yield {own: Path(file.name)}
