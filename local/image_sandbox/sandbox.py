"""A program of an image in a sandbox like Lambda's, under the Runtime API."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, Final, Self

from local.exit_reason import exit_reason
from local.image_sandbox.tools import ImageSandboxError, tool
from local.runtime_api import FunctionError, RuntimeApi, invoke_or_end

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html, the default.
_TMP_BYTES: Final = 512 * 1024 * 1024
_LAUNCHER: Final = Path(__file__).with_name("launch.py")
_DEVICES: Final = ("full", "null", "random", "urandom", "zero")
_DEVICE_LINKS: Final = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
}
_USERS: Final = "etc/passwd"
# As it was seen in /etc/passwd on Lambda, with the ids of the emulator's newer supervisor; images
# of all kinds were seen to have this home, which is not there:
# https://github.com/aws/aws-lambda-base-images/issues/63
_LAMBDA_USER: Final = b"sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n"
# What the launcher needs to become another user in another root; the program has none of them.
_CAPABILITIES: Final = ("CAP_DAC_READ_SEARCH", "CAP_SETGID", "CAP_SETUID", "CAP_SYS_CHROOT")
_WITHOUT_ROOT: Final = (
    "who is not root needs user namespaces, and ids of their own to put into one:"
    " usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER"
)
_LAST_WORDS_SECONDS: Final = 5
_MAX_LINE_BYTES: Final = 256 * 1024


class ImageSandbox:
    """One process of an image: it starts once, answers events, and ends with the context.

    As in Lambda: user 993 of group 990, who owns no file of the image; a read-only root with only
    /tmp (empty, 512 MB) to write to; a home that is named and not there; no privileges; nothing of
    this machine to see but its network.
    Other than in Lambda, the CPU is this machine's.
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
        """Take the unpacked image; what is missing in it to mount on is made.

        ``command`` is ENTRYPOINT and CMD; an empty ``workdir`` is the root. ``environment`` is all
        that the process gets, beside the Runtime API's address. ``memory_mb`` (MiB) bounds what the
        process may allocate. ``log`` gets each line of its output, from another thread.
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
        """Why the program was not started, or its working directory not entered; see errno(3)."""
        number: int | None = self._report.get("errno")
        return number

    @property
    def exit_code(self) -> int | None:
        """How the program ended by itself; negative: by this signal. None: it did not."""
        code: int | None = None if "failed" in self._report else self._report.get("exit")
        return code

    def start(self, timeout: float) -> FunctionError | None:
        """Start the program and wait until it asks for its first event, at most ``timeout`` s.

        Returns what Lambda would call the error, if it does not get so far; nothing runs then.
        Raises ImageSandboxError when the sandbox cannot be set up.
        """
        if error := self._not_to_be_started():
            return error
        try:
            error = self._start_process().wait_until_ready(timeout)
            if error is not None:
                self._wait(_LAST_WORDS_SECONDS)
        except TimeoutError:
            message = f"the runtime did not ask for an event within {timeout:g} s"
            error = FunctionError("Sandbox.Timedout", message)
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

        After ``timeout`` seconds, or when it ends, the process is gone: see ``is_alive``. Not to be
        called by two threads at once.
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
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End all processes, and whoever waits for them. Their output has been logged then."""
        self._resources.close()

    def _not_to_be_started(self) -> FunctionError | None:
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
            users = stack.enter_context(tempfile.NamedTemporaryFile(prefix="passwd-"))
            users.write(_users(self._rootfs))
            users.flush()
            Path(users.name).chmod(0o644)
            process = subprocess.Popen(  # noqa: S603  (bubblewrap, and what it is told is ours)
                [
                    *_as_root(),
                    *_bubblewrap(self._rootfs, users),
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
            with suppress(BrokenPipeError):  # Why it is gone, it has said in its output.
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
            api.report_end(self._end())

    def _end(self) -> FunctionError:
        """Say what its end is to Lambda."""
        match self._report:
            case {"failed": "workdir"}:
                message = f"the working directory doesn't exist: {self._workdir}"
                return FunctionError("Runtime.InvalidWorkingDir", message)
            case {"failed": "start", "errno": errno}:
                command = [self._report.get("program", self._command[0])]
                return FunctionError("Runtime.InvalidEntrypoint", exec_error(command, errno))
            case {"exit": code}:
                return FunctionError("Runtime.ExitError", exit_reason(code))
        return FunctionError("Runtime.ExitError", "it was ended")

    def _require_set_up(self, error: FunctionError) -> None:
        """Tell a program that ends from a sandbox that does."""
        if self._report.get("failed") == "sandbox":
            why = os.strerror(self._report["errno"])
        elif error.type == "Runtime.ExitError" and not self._report:
            why = " ".join(self._last_lines)
        else:
            return
        hint = "" if os.geteuid() == 0 else f"; {_WITHOUT_ROOT}"
        raise ImageSandboxError(f"the sandbox cannot be set up: {why}{hint}")


def exec_error(command: Sequence[str], errno: int) -> str:
    """Say why a command was not started, in the words of Go, in which Lambda starts it."""
    if command[0] and "/" not in command[0]:
        return f'exec: "{command[0]}": executable file not found in $PATH'
    text = os.strerror(errno)
    return f"fork/exec {command[0]}: {text[0].lower()}{text[1:]}"


def _as_root() -> list[str]:
    """Return what makes who is not root be root over users of their own."""
    if os.geteuid() == 0:
        return []
    # Several users, or else the image's files would belong to the one who starts the program.
    tool("newuidmap")
    return [tool("unshare"), "--user", "--map-auto", "--map-root-user", "--"]


def _users(rootfs: Path) -> bytes:
    """Return the image's list of users, with Lambda's, who has a home that is not there."""
    users = rootfs / _USERS
    own = users.read_bytes() if users.is_file() and not users.is_symlink() else b""
    return _LAMBDA_USER + own


def _bubblewrap(rootfs: Path, users: IO[bytes]) -> list[str]:
    """Lay a read-only root with its mounts where the image is; the launcher enters it."""
    command = [tool("bwrap"), "--as-pid-1", "--unshare-pid", "--unshare-ipc", "--unshare-uts"]
    command += ["--cap-drop", "ALL", *(w for c in _CAPABILITIES for w in ("--cap-add", c))]
    # The launcher is a program of this machine, and leaves its files when it enters the image.
    command += ["--ro-bind", "/", "/", "--dev-bind", "/dev/null", "/dev/null"]
    command += ["--ro-bind", str(rootfs), str(rootfs)]
    for name in ("dev", "proc", "tmp"):
        point = rootfs / name
        if not os.path.lexists(point):
            # Another process of the same image may be making it.
            point.mkdir(0o755, exist_ok=True)
        # Nothing is mounted on a link: it would lead out of the image.
        if point.is_dir() and not point.is_symlink():
            command += _mount(name, str(point))
    point = rootfs / _USERS
    if not os.path.lexists(point.parent):
        point.parent.mkdir(0o755, exist_ok=True)
    if point.parent.is_dir() and not point.parent.is_symlink() and not point.is_symlink():
        if not point.exists():
            point.touch(0o644)
        command += ["--ro-bind", users.name, str(point)]
    return command


def _mount(name: str, point: str) -> list[str]:
    if name == "tmp":
        return ["--perms", "1777", "--size", str(_TMP_BYTES), "--tmpfs", point]
    if name == "proc":
        return ["--proc", point]
    devices = (w for d in _DEVICES for w in ("--dev-bind", f"/dev/{d}", f"{point}/{d}"))
    links = (w for d, to in _DEVICE_LINKS.items() for w in ("--symlink", to, f"{point}/{d}"))
    return ["--perms", "0755", "--tmpfs", point, *devices, *links, "--remount-ro", point]
