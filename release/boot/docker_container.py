"""An image in Docker, under conditions as near to Lambda's as Docker gives.

Its command line is podman's, too.
"""

import io
import json
import re
import shutil
import subprocess
import tarfile
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from imagecheck.errors import FailedError
from imagecheck.function import Function, Start
from lambda_runtime.image_sandbox import LAMBDA_HOME, exit_reason
from lambda_runtime.runtime_api import FunctionError, RuntimeApi, invoke_or_end
from release.boot.engine import is_docker_on_this_machine

_USER: Final = "993:990"
_TMP: Final = "/tmp:rw,exec,nosuid,nodev,size=512m,mode=1777"  # noqa: S108  (the container's)
_LOOPBACK: Final = "127.0.0.1"
_HOST: Final = "host.docker.internal"
"""This machine, seen from a container, where Docker runs in a virtual machine."""
_NOT_STARTED: Final = re.compile(
    r"(exec format error|no such file or directory|not a directory|permission denied"
    r"|too many levels of symbolic links|argument list too long)",
    re.IGNORECASE,
)
_OF_THE_ENGINE: Final = re.compile(r"\bOCI\b|^docker: |^Error: |^exec /")
# https://docs.docker.com/engine/containers/run/#exit-status, or the program's own.
_ENGINE_STATUSES: Final = (125, 126, 127)
_KILLED: Final = 128 + 9
_MAX_LINE_BYTES: Final = 256 * 1024


@contextmanager
def loaded_image(layout: Path, digest: str) -> Iterator[str]:
    """Load the image of an OCI layout into Docker, under a tag of its own; remove it at the end.

    Docker holds each layer against the configuration. Raises FailedError when it does not take
    the image.
    """
    tag = f"rooms-boot:{uuid.uuid4().hex}"
    with subprocess.Popen(  # noqa: S603  (docker, and what it is told is ours)
        [_docker(), "load", "--quiet"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as load:
        assert load.stdin and load.stderr  # noqa: S101  (pipes, see above)
        with suppress(BrokenPipeError), load.stdin:  # Why it is gone, it says.
            _write_archive(load.stdin, layout, digest, tag)
        said = load.stderr.read().decode("utf-8", "replace")
    if load.returncode:
        raise FailedError(f"docker does not load the image: {_last_line(said)}")
    try:
        yield tag
    finally:
        _quietly("rmi", "--force", tag)


class DockerContainer:
    """One process of a loaded image: it starts once, answers events, and ends with ``close``.

    The image's own ENTRYPOINT and CMD, but for what the function overrides.
    """

    def __init__(
        self,
        tag: str,
        *,
        start: Start,
        function: Function,
        environment: Mapping[str, str],
        users: Path,
        memory_mb: int | None,
        log: Callable[[str], None],
        is_emulated: bool = False,
    ) -> None:
        """``users`` is the list of users (passwd(5)) that the process is to find.

        Without ``memory_mb`` (MiB) it is not limited. ``is_emulated``: its CPU is another one.
        """
        self._tag = tag
        self._start = start
        self._function = function
        self._environment = dict(environment)
        self._users = users
        self._memory_mb = memory_mb
        self._is_emulated = is_emulated
        self._log = log
        self._name = f"rooms-boot-{uuid.uuid4().hex}"
        self._last_lines: deque[str] = deque(maxlen=20)
        self._refusal = ""
        self._api: RuntimeApi | None = None
        self._resources = ExitStack()

    def start(self, timeout: float) -> FunctionError | None:
        """Run it and wait until it asks for its first event, at most ``timeout`` seconds.

        Raises FailedError when Docker does not run it, for a reason of its own.
        """
        try:
            error = self._run().wait_until_ready(timeout)
        except BaseException:
            self.close()
            raise
        if error is not None:
            self.close()
            if self._refusal:
                raise FailedError(f"docker does not run it: {self._refusal}")
        return error

    def invoke(self, event: bytes, *, timeout: float, function_arn: str) -> bytes | FunctionError:
        """Give it one event (JSON); after ``timeout`` seconds, or when it ends, it is gone."""
        assert self._api is not None, "it has not been started"  # noqa: S101
        return invoke_or_end(
            self._api, event, timeout=timeout, function_arn=function_arn, end=self.close
        )

    def close(self) -> None:
        """End it."""
        self._resources.close()

    def command(self, runtime_api: str) -> list[str]:
        """Return the command line that runs it."""
        environment = {**self._environment, "AWS_LAMBDA_RUNTIME_API": runtime_api}
        shared = ["--network", "host"]
        shared += ["--mount", f"type=bind,source={self._users},target=/etc/passwd,readonly"]
        if not is_docker_on_this_machine():
            # That other machine may not see the file. Most programs look for HOME first.
            shared = ["--add-host", f"{_HOST}:host-gateway"]
            environment = {k: v.replace(_LOOPBACK, _HOST) for k, v in environment.items()}
            environment = {"HOME": LAMBDA_HOME, **environment}
        limits: list[str] = []
        if self._memory_mb is not None:
            limits += ["--memory", f"{self._memory_mb}m", "--memory-swap", f"{self._memory_mb}m"]
        if self._is_emulated:
            # Without it Docker warns, in the lines of the program.
            limits += ["--platform", f"linux/{self._function.image_architecture}"]
        entrypoint, arguments = [], self._function.command or ()
        if words := self._function.entrypoint:
            # Which takes one word, and drops the image's CMD.
            entrypoint = ["--entrypoint", words[0]]
            arguments = (*words[1:], *self._start.command)
        return [
            *(_docker(), "run", "--rm", "--name", self._name, "--pull", "never", *shared),
            *("--read-only", "--tmpfs", _TMP, "--user", _USER),
            *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
            *limits,
            *("--workdir", self._start.workdir or "/"),
            *(w for name, value in environment.items() for w in ("--env", f"{name}={value}")),
            *(*entrypoint, self._tag, *arguments),
        ]

    def _run(self) -> RuntimeApi:
        with ExitStack() as stack:
            self._api = stack.enter_context(RuntimeApi())
            process = subprocess.Popen(  # noqa: S603  (docker, and what it is told is ours)
                self.command(self._api.address),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal is ours to handle.
            )
            watcher = threading.Thread(target=self._watch, args=(process, self._api), daemon=True)
            watcher.start()
            stack.callback(watcher.join)
            stack.callback(_quietly, "rm", "--force", self._name)
            self._resources = stack.pop_all()
            return self._api

    def _watch(self, process: subprocess.Popen[bytes], api: RuntimeApi) -> None:
        assert process.stdout is not None  # noqa: S101  (a pipe, see above)
        with process.stdout as output:
            for line in iter(lambda: output.readline(_MAX_LINE_BYTES), b""):
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                self._last_lines.append(text)
                self._log(text)
        api.report_end(self._end(process.wait()))

    def _end(self, code: int) -> FunctionError:
        """Say what its end is to Lambda, as far as Docker tells."""
        for line in self._last_lines if code else ():
            if not _OF_THE_ENGINE.search(line):
                continue
            if self._is_emulated and "exec format error" in line.lower():
                # That its programs are for the function's CPU has been read before.
                cpu = self._function.image_architecture
                self._refusal = f"its machine has no emulator for linux/{cpu}: {line}"
                continue
            if (why := _NOT_STARTED.search(line)) and "exec" in line:
                message = f"fork/exec {self._start.argv[0]}: {why[0].lower()}"
                return FunctionError("Runtime.InvalidEntrypoint", message)
            if code in _ENGINE_STATUSES:
                self._refusal = line
        # An exit status of 128 and more may be the program's own, but for this one.
        return FunctionError("Runtime.ExitError", exit_reason(-9 if code == _KILLED else code))


def _write_archive(file: IO[bytes], layout: Path, digest: str, tag: str) -> None:
    """Write what `docker save` writes, with the layers as they are: compressed."""
    manifest = json.loads(_blob(layout, digest).read_bytes())
    config, layers = manifest["config"]["digest"], [d["digest"] for d in manifest["layers"]]
    names = {d: f"blobs/{d.replace(':', '/')}" for d in (config, *layers)}
    named = {"Config": names[config], "RepoTags": [tag], "Layers": [names[d] for d in layers]}
    content = json.dumps([named]).encode()
    with tarfile.open(fileobj=file, mode="w|") as tar:
        for blob, name in names.items():
            path = _blob(layout, blob)
            info = tarfile.TarInfo(name)
            info.size = path.stat().st_size
            with path.open("rb") as opened:
                tar.addfile(info, opened)
        info = tarfile.TarInfo("manifest.json")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))


def _blob(layout: Path, digest: str) -> Path:
    return layout / "blobs" / digest.replace(":", "/")


def _docker() -> str:
    docker = shutil.which("docker")
    if docker is None:
        raise FailedError("docker is not installed")
    return docker


def _quietly(*arguments: str) -> None:
    subprocess.run([_docker(), *arguments], capture_output=True, check=False)  # noqa: S603


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "it does not say why"
