"""Docker, as far as its command line: there is no engine where the tests run.

What engines print was printed by runc under podman, for images that were broken so.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import release.boot.docker_container
from imagecheck.errors import FailedError
from imagecheck.function import Function, effective_start
from imagecheck.image.manifest import RuntimeConfig
from lambda_runtime.runtime_api import FunctionError
from release.boot.docker_container import DockerContainer, loaded_image
from tests.support.imagecheck.images import File, layer_of, only_image, write_image
from tests.support.imagecheck.tools import skopeo_copy

# Records how it was called, and does what the test has written for its first argument.
DOCKER = """#!/bin/sh
printf '%s\\n' "$*" >> "{folder}/called"
if [ -e "{folder}/$1" ]; then exec "{folder}/$1" "$@"; fi
"""
RUNTIME = f"""#!{sys.executable}
import os, sys, urllib.request
(api,) = (w.split("=")[1] for w in sys.argv if w.startswith("AWS_LAMBDA_RUNTIME_API="))
url = f"http://{{api}}/2018-06-01/runtime/invocation/"
print("loading", flush=True)
while True:
    with urllib.request.urlopen(url + "next") as event:
        id, body = event.headers["Lambda-Runtime-Aws-Request-Id"], event.read()
    if body == b'"end"':
        sys.exit(7)
    urllib.request.urlopen(url + id + "/response", data=body).close()
"""
CONFIG = RuntimeConfig(
    entrypoint=["/lambda-entrypoint.sh"], cmd=["app.handler"], working_dir="/var/task"
)


class Docker:
    """A command that is in the place of docker."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        program = folder / "docker"
        program.write_text(DOCKER.format(folder=folder))
        program.chmod(0o755)

    @property
    def called(self) -> list[str]:
        return (self._folder / "called").read_text().splitlines()

    def does(self, **scripts: str) -> None:
        for name, script in scripts.items():
            path = self._folder / name
            path.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return Docker(folder)


def container(
    log: list[str] | None = None,
    function: Function | None = None,
    environment: Mapping[str, str] | None = None,
    *,
    memory_mb: int | None = 512,
    is_emulated: bool = False,
) -> DockerContainer:
    function = function or Function("arm64")
    return DockerContainer(
        "rooms-boot:1",
        start=effective_start(CONFIG, function),
        function=function,
        environment=environment or {},
        users=Path("/users"),
        memory_mb=memory_mb,
        is_emulated=is_emulated,
        log=(log if log is not None else []).append,
    )


def ask(running: DockerContainer, event: object) -> Any:
    outcome = running.invoke(json.dumps(event).encode(), timeout=30, function_arn="arn")
    return outcome if isinstance(outcome, FunctionError) else json.loads(outcome)


@pytest.mark.usefixtures("docker")
def test_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release.boot.docker_container, "is_docker_on_this_machine", lambda: True)

    command = container(environment={"A": "b c"}).command("127.0.0.1:9001")

    (name,) = (word for word in command if re.fullmatch("rooms-boot-[0-9a-f]{32}", word))
    assert command[0].endswith("/docker")
    assert command[1:] == [
        *("run", "--rm", "--name", name, "--pull", "never", "--network", "host"),
        *("--mount", "type=bind,source=/users,target=/etc/passwd,readonly"),
        *("--read-only", "--tmpfs", "/tmp:rw,exec,nosuid,nodev,size=512m,mode=1777"),
        *("--user", "993:990", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--memory", "512m", "--memory-swap", "512m", "--workdir", "/var/task"),
        *("--env", "A=b c", "--env", "AWS_LAMBDA_RUNTIME_API=127.0.0.1:9001"),
        "rooms-boot:1",
    ]


@pytest.mark.usefixtures("docker")
@pytest.mark.parametrize(
    ("function", "end"),
    [
        (Function("arm64", command=("b.handler",)), ["rooms-boot:1", "b.handler"]),
        (
            Function("arm64", entrypoint=("/bin/sh", "-c")),
            ["--entrypoint", "/bin/sh", "rooms-boot:1", "-c", "app.handler"],
        ),
        (
            Function("arm64", entrypoint=("/run",), command=("b", "c")),
            ["--entrypoint", "/run", "rooms-boot:1", "b", "c"],
        ),
    ],
)
def test_what_the_function_overrides(function: Function, end: list[str]) -> None:
    assert container(function=function).command("127.0.0.1:9001")[-len(end) :] == end


@pytest.mark.usefixtures("docker")
def test_where_docker_is_another_machine_it_is_told_where_this_one_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    command = container(environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:8000"}).command(
        "127.0.0.1:9001"
    )

    assert "host.docker.internal:host-gateway" in command
    assert "host" not in command
    assert "--mount" not in command
    assert "HOME=/home/sbx_user1051" in command
    assert "AWS_ENDPOINT_URL=http://host.docker.internal:8000" in command
    assert "AWS_LAMBDA_RUNTIME_API=host.docker.internal:9001" in command


@pytest.mark.usefixtures("docker")
def test_another_cpu_is_named_and_its_memory_has_no_limit() -> None:
    command = container(memory_mb=None, is_emulated=True).command("127.0.0.1:9001")

    assert command[command.index("--platform") + 1] == "linux/arm64"
    assert "--memory" not in command


def test_docker_without_an_emulator_says_nothing_of_the_image(docker: Docker) -> None:
    docker.does(run="echo exec /lambda-entrypoint.sh: exec format error; exit 255")

    with pytest.raises(FailedError, match="its machine has no emulator for linux/arm64: exec /lam"):
        container(memory_mb=None, is_emulated=True).start(30)


def test_it_answers_and_is_removed(docker: Docker) -> None:
    docker.does(run=RUNTIME, rm='kill $(cat "$0.pid" 2>/dev/null) 2>/dev/null')
    log: list[str] = []
    running = container(log)

    assert running.start(30) is None
    assert ask(running, {"a": 1}) == {"a": 1}
    error = ask(running, "end")
    running.close()

    assert (error.type, error.message.endswith("exit status 7")) == ("Runtime.ExitError", True)
    assert log == ["loading"]
    assert docker.called[-1].startswith("rm --force rooms-boot-")


RUNC = "Error: runc: runc create failed: unable to start container process: exec"
INVALID = "Runtime.InvalidEntrypoint"


@pytest.mark.parametrize(
    ("printed", "status", "type_", "message"),
    [
        ("exec /lambda-entrypoint.sh: exec format error", 255, INVALID, "exec format error"),
        ("exec /lambda-entrypoint.sh: no such file or directory", 255, INVALID, "no such file or"),
        (
            f'{RUNC}: "/lambda-entrypoint.sh": stat /lambda-entrypoint.sh: no such file or'
            " directory: OCI runtime attempted to invoke a command that was not found",
            127,
            INVALID,
            "no such file or directory",
        ),
        (
            "docker: Error response from daemon: failed to create task for container: failed to"
            " create shim task: OCI runtime create failed: runc create failed: unable to start"
            ' container process: exec: "/lambda-entrypoint.sh": permission denied: unknown.',
            126,
            INVALID,
            "permission denied",
        ),
        ("entrypoint requires the handler name", 142, "Runtime.ExitError", "exit status 142"),
        ("sh: exec: x: no such file or directory", 127, "Runtime.ExitError", "exit status 127"),
        ("", 137, "Runtime.ExitError", "signal: killed"),
        ("", 0, "Runtime.ExitError", "without providing a reason"),
    ],
)
def test_how_it_ends(docker: Docker, printed: str, status: int, type_: str, message: str) -> None:
    docker.does(run=f"cat <<'E'\n{printed}\nE\nexit {status}")

    error = container().start(30)

    assert error
    assert error.type == type_
    assert message in error.message


def test_a_failure_of_dockers_own_says_nothing_of_the_image(docker: Docker) -> None:
    said = "Error: crun: setrlimit `RLIMIT_NOFILE`: Operation not permitted: OCI permission denied"
    docker.does(run=f"cat <<'E'\n{said}\nE\nexit 126")

    with pytest.raises(FailedError, match="docker does not run it: Error: crun: setrlimit"):
        container().start(30)


def test_one_that_never_asks_is_ended(docker: Docker, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    docker.does(run=f"echo $$ > {pid}; exec sleep 60", rm=f"kill $(cat {pid})")

    error = container().start(1)

    assert error and error.type == "Sandbox.Timedout"
    assert not Path("/proc", pid.read_text().strip()).exists()


def test_the_image_is_loaded_under_a_tag_of_its_own_and_removed(
    docker: Docker, tmp_path: Path
) -> None:
    image = write_image(
        tmp_path / "image", [layer_of(File("a", "1")), layer_of(File("b", "2"))], cmd=["/a"]
    )
    archive = tmp_path / "archive.tar"
    docker.does(load=f"cat > {archive}")

    with loaded_image(image.folder, image.digest) as tag:
        # It is what another reader of such archives takes for the same image.
        skopeo_copy(f"docker-archive:{archive}:docker.io/library/{tag}", f"oci:{tmp_path}/back:1")

    def config(layout: Path) -> Any:
        found = only_image(layout)
        manifest = json.loads(found.blob(found.digest).read_bytes())
        return json.loads(found.blob(manifest["config"]["digest"]).read_bytes())

    assert config(tmp_path / "back")["rootfs"] == config(image.folder)["rootfs"]
    assert config(tmp_path / "back")["config"] == config(image.folder)["config"]
    assert docker.called == ["load --quiet", f"rmi --force {tag}"]


def test_an_engine_that_does_not_load_is_quoted(docker: Docker, tmp_path: Path) -> None:
    image = write_image(tmp_path / "image", [layer_of(File("a", os.urandom(2**20)))])
    docker.does(load="echo Cannot connect to the Docker daemon at unix:///x >&2; exit 1")

    with (
        pytest.raises(FailedError, match="does not load the image: Cannot connect to the Docker"),
        loaded_image(image.folder, image.digest),
    ):
        pass


def test_no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)

    with pytest.raises(FailedError, match="docker is not installed"):
        container().start(1)
