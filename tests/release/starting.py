"""Really starts a program of an image, under Lambda's conditions, and says what happened.

The user is Lambda's, the file system read-only but for /tmp, the Runtime API there. Who unpacks is
umoci, who decides is the kernel: nothing here knows why a program does not start.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from local.runtime_api import FunctionError, RuntimeApi
from tests.release.images import TAG, Image
from tests.release.tools import run, tool

SANDBOX = Path(__file__).with_name("sandbox.py")
LAST_WORDS_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Started:
    """What became of a start; an empty ``error_type`` means that it asks for its first event."""

    error_type: str
    """As Lambda calls it, in its log and in the answer to an invocation."""
    message: str = ""
    """What the runtime client reported beside it."""
    errno: int | None = None
    """Why there is no working directory, or why it could not be entered or the program started."""
    exit_status: int | None = None
    signal: int | None = None
    output: str = ""


def start(
    image: Image,
    command: Sequence[str],
    *,
    workdir: str = "/",
    env: Mapping[str, str] | None = None,
    timeout: float = 10,
) -> Started:
    """Unpack the only image of a layout, start ``command`` in it, and leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix="rootfs-") as folder:
        rootfs = unpack(image, Path(folder) / "rootfs")
        return start_folder(rootfs, command, workdir=workdir, env=env, timeout=timeout)


def unpack(image: Image, rootfs: Path) -> Path:
    """Write the files of an image into a new folder, with their modes, and return it."""
    rootless = [] if os.geteuid() == 0 else ["--rootless"]
    source = f"{image.folder}:{TAG}"
    run([tool("umoci"), "raw", "unpack", *rootless, "--image", source, str(rootfs)])
    return rootfs


def start_folder(
    rootfs: Path,
    command: Sequence[str],
    *,
    workdir: str = "/",
    env: Mapping[str, str] | None = None,
    timeout: float = 10,
) -> Started:
    """Start ``command`` with ``rootfs`` as its root directory, and end it once that is decided.

    The environment is ``env`` and the Runtime API's address. Files are seen with the eyes of
    another user than the one they belong to. Missing mount points (/dev, /proc, /tmp) are made.
    """
    if not workdir.startswith("/"):
        return Started(error_type="Runtime.InvalidWorkingDir")
    plan = {"rootfs": str(rootfs), "command": list(command), "workdir": workdir, "env": env or {}}
    with RuntimeApi() as api, _Sandbox(plan, api) as sandbox:
        try:
            error = api.wait_until_ready(timeout)
        except TimeoutError as late:
            return sandbox.end(FunctionError("Sandbox.Timedout", str(late)))
        if error is not None:
            sandbox.wait(LAST_WORDS_SECONDS)
        return sandbox.end(error)


class _Sandbox:
    """The process that runs sandbox.py, and what it and the program write."""

    def __init__(self, plan: dict[str, Any], api: RuntimeApi) -> None:
        with ExitStack() as stack:
            self._output = stack.enter_context(tempfile.TemporaryFile())
            self._report = stack.enter_context(tempfile.TemporaryFile())
            report = self._report.fileno()
            self._process = subprocess.Popen(
                [*_unshare(), sys.executable, "-I", "-S", str(SANDBOX), str(report)],
                stdin=subprocess.PIPE,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                pass_fds=[report],
            )
            env = {**plan["env"], "AWS_LAMBDA_RUNTIME_API": api.address}
            self._watcher = threading.Thread(target=self._watch, args=(api,), daemon=True)
            self._watcher.start()
            stack.callback(self._kill)
            self._write({**plan, "env": env})
            self._resources = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def wait(self, timeout: float) -> None:
        """Wait until the program has ended, but no longer than this."""
        self._watcher.join(timeout)

    def end(self, error: FunctionError | None) -> Started:
        """End all processes and say what happened, if ``error`` is what was seen from outside."""
        self._kill()
        self._output.seek(0)
        self._report.seek(0)
        output = self._output.read().decode("utf-8", "replace")
        report: dict[str, Any] = {}
        for line in self._report:
            report = {**json.loads(line), **report}
        return _started(report, error, output)

    def _write(self, plan: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # Why it is gone, it has said in its output.
            self._process.stdin.write(json.dumps(plan).encode() + b"\n")
            self._process.stdin.flush()

    def _kill(self) -> None:
        # sandbox.py ends with its input. It is the first process of its namespace, so all others
        # are killed, and unshare waits for that.
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._watcher.join()

    def _watch(self, api: RuntimeApi) -> None:
        self._process.wait()
        api.report_end(FunctionError("Runtime.ExitError", ""))


def _started(report: dict[str, Any], error: FunctionError | None, output: str) -> Started:
    match report:
        case {"failed": "workdir", "errno": errno}:
            return Started(error_type="Runtime.InvalidWorkingDir", errno=errno)
        case {"failed": "start", "errno": errno}:
            return Started(error_type="Runtime.InvalidEntrypoint", errno=errno)
        case {"failed": _}:
            raise RuntimeError(f"the sandbox could not be set up: {report}")
    if error is None:
        return Started(error_type="", output=output)
    code = report.get("exit")
    if code is None and error.type != "Sandbox.Timedout":
        raise RuntimeError(f"the sandbox could not be set up: {output}")
    return Started(
        error_type=error.type,
        message=error.message,
        exit_status=code if code is not None and code >= 0 else None,
        signal=-code if code is not None and code < 0 else None,
        output=output,
    )


def _unshare() -> list[str]:
    command = [tool("unshare"), "--mount", "--pid", "--fork"]
    if os.geteuid() == 0:
        return command
    # Several users, or else the image's files would belong to the one who starts the program.
    tool("newuidmap")
    return [*command, "--user", "--map-auto", "--map-root-user"]
