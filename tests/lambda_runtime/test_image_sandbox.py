"""A process of an image: how it starts, answers and ends.

tests/imagecheck/test_starting.py has what the kernel and AWS's client say to broken images.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import pytest

from lambda_runtime.image_sandbox import ImageSandbox, ImageSandboxError, require_tools, unpack
from lambda_runtime.runtime_api import FunctionError
from local.practice.base_files import PYTHON
from tests.support.imagecheck.images import (
    Directory,
    File,
    Symlink,
    layer_of,
    only_image,
    write_image,
    write_index,
    write_layout,
)
from tests.support.imagecheck.programs import aws_like_base, tiny_elf
from tests.support.imagecheck.python_runtime import python_base
from tests.support.imagecheck.tools import run, skopeo_copy
from tests.support.sampling import mostly_proofs_of

ARN = "arn:aws:lambda:ap-northeast-1:123456789012:function:rooms:live"
CLIENT = ["/lambda-entrypoint.sh", "app.handler"]
APP = """
import os, time

def handler(event, context):
    print("got", event)
    match event:
        case {"sleep": seconds}:
            time.sleep(seconds)
        case {"end": status}:
            os._exit(status)
        case {"kill": number}:
            os.kill(os.getpid(), number)
        case {"allocate": size}:
            return len(bytearray(size))
    return [context.invoked_function_arn, dict(os.environ)]
"""


class Start(Protocol):
    def __call__(
        self, command: list[str] | None = None, *, workdir: str = "/var/task", **more: Any
    ) -> ImageSandbox: ...


@pytest.fixture(scope="module")
def python() -> Iterator[Path]:
    """The files of an image with a real CPython, AWS's client and a handler."""
    with TemporaryDirectory() as folder:
        app = layer_of(File("var/task/app.py", APP), Directory("home/locked", 0o700))
        image = write_image(Path(folder, "image"), [python_base(), app])
        yield unpack(image.folder, Path(folder) / "rootfs")


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def make(python: Path, log: list[str]) -> Iterator[Start]:
    with ExitStack() as stack:

        def make_one(
            command: list[str] | None = None, *, workdir: str = "/var/task", **more: Any
        ) -> ImageSandbox:
            return stack.enter_context(
                ImageSandbox(
                    python,
                    command=["/lambda-entrypoint.sh", "app.handler"]
                    if command is None
                    else command,
                    workdir=workdir,
                    environment={"GREETING": "ひま\n二行"},
                    log=log.append,
                    **more,
                )
            )

        yield make_one


def ask(sandbox: ImageSandbox, event: object, timeout: float = 10) -> Any:
    outcome = sandbox.invoke(json.dumps(event).encode(), timeout=timeout, function_arn=ARN)
    return outcome if isinstance(outcome, FunctionError) else json.loads(outcome)


def test_it_answers_one_event_after_the_other(make: Start, log: list[str]) -> None:
    sandbox = make()

    assert not sandbox.is_alive()
    assert sandbox.start(10) is None
    for number in range(2):
        arn, environment = ask(sandbox, number)
        assert arn == ARN
        assert environment["GREETING"] == "ひま\n二行"
        assert "HOME" not in environment
    assert sandbox.is_alive()

    sandbox.close()

    assert not sandbox.is_alive()
    assert log == ["got 0", "got 1"]
    assert (sandbox.errno, sandbox.exit_code) == (None, None)


@pytest.mark.proof
@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"end": 3}, "Runtime exited with error: exit status 3"),
        ({"end": 0}, "Runtime exited without providing a reason"),
        ({"kill": 9}, "Runtime exited with error: signal: killed"),
    ],
)
def test_a_process_that_ends_in_an_invocation(make: Start, event: object, message: str) -> None:
    sandbox = make()
    assert sandbox.start(10) is None

    error = ask(sandbox, event)

    assert isinstance(error, FunctionError)
    assert error.type == "Runtime.ExitError"
    assert error.message.endswith(f"Error: {message}")
    assert not sandbox.is_alive()
    assert ask(sandbox, 1).type == "Runtime.ExitError"


@pytest.mark.proof
def test_an_invocation_that_takes_too_long_ends_the_process(make: Start, log: list[str]) -> None:
    sandbox = make()
    assert sandbox.start(10) is None

    error = ask(sandbox, {"sleep": 60}, timeout=0.2)

    assert error.type == "Sandbox.Timedout"
    assert error.message.endswith("Error: Task timed out after 0.20 seconds")
    assert not sandbox.is_alive()
    assert log == ["got {'sleep': 60}"]


def test_a_start_that_takes_too_long(make: Start) -> None:
    sandbox = make(["/bin/sh", "-c", "/bin/busybox sleep 60"])

    assert sandbox.start(0.2) == FunctionError(
        "Sandbox.Timedout", "the runtime did not ask for an event within 0.2 s"
    )
    assert not sandbox.is_alive()


@pytest.mark.proof
def test_memory_has_a_limit(make: Start) -> None:
    large, small = make(memory_mb=512), make(memory_mb=128)
    event = {"allocate": 256 * 1024 * 1024}
    assert (large.start(10), small.start(10)) == (None, None)

    assert ask(large, event) == event["allocate"]
    assert ask(small, event).type == "MemoryError"


@pytest.mark.parametrize(
    ("command", "workdir", "type_", "message"),
    mostly_proofs_of(
        [
            (["/no"], "/", "Runtime.InvalidEntrypoint", "fork/exec /no: no such file or directory"),
            (["/var"], "/", "Runtime.InvalidEntrypoint", "fork/exec /var: permission denied"),
            # A name without a slash is looked for on PATH only.
            (
                ["bootstrap"],
                "/var/runtime",
                "Runtime.InvalidEntrypoint",
                'exec: "bootstrap": executable file not found in $PATH',
            ),
            ([], "/", "Runtime.InvalidEntrypoint", "Couldn't find valid bootstrap(s): []"),
            (["/a\0b"], "/", "Runtime.InvalidEntrypoint", "fork/exec /a\0b: invalid argument"),
            (
                ["/bin/sh"],
                "/no",
                "Runtime.InvalidWorkingDir",
                "the working directory doesn't exist: /no",
            ),
            (
                ["/bin/sh"],
                "var",
                "Runtime.InvalidWorkingDir",
                "the working directory 'var' is invalid, it needs to be an absolute path",
            ),
            (["/bin/sh"], "/home/locked", "Runtime.InvalidEntrypoint", "permission denied"),
            (["/bin/sh", "-c", "exit 7"], "", "Runtime.ExitError", "exit status 7"),
        ]
    ),
)
def test_it_fails_in_lambdas_words(
    make: Start, command: list[str], workdir: str, type_: str, message: str
) -> None:
    error = make(command, workdir=workdir).start(10)

    assert error
    assert error.type == type_
    assert error.message.endswith(message)


@pytest.mark.proof
@pytest.mark.parametrize(
    ("path", "message"),
    [
        (None, "exit status 7"),
        ("/nowhere:/bin", "exit status 7"),
        ("/home/locked:/bin", "exit status 7"),
        # Neither a folder nor what one who owns nothing may not execute.
        ("/tools:/bin", "exit status 7"),
        # Go starts nothing that a relative entry leads to.
        (":.:bin", 'exec: "sh": executable file not found in $PATH'),
        ("/var", 'exec: "sh": executable file not found in $PATH'),
        ("/text:/bin", "fork/exec /text/sh: exec format error"),
    ],
)
def test_a_name_without_a_slash_is_looked_for_on_path(
    tmp_path: Path, log: list[str], path: str | None, message: str
) -> None:
    files = (
        Directory("home/locked", 0o700),
        File("home/locked/sh", "", 0o755),
        Directory("tools/sh"),
        File("text/sh", "exit 0", 0o755),
    )
    image = write_image(tmp_path / "image", [layer_of(*aws_like_base(), *files)])
    sandbox = ImageSandbox(
        unpack(image.folder, tmp_path / "rootfs"),
        command=["sh", "-c", "exit 7"],
        workdir="/",
        environment={} if path is None else {"PATH": path},
        log=log.append,
    )

    with sandbox:
        error = sandbox.start(10)

    assert error
    assert error.message.endswith(message)


LAMBDAS_HOME = "/home/sbx_user1051"


def test_the_user_has_a_home_that_is_not_there(python: Path, log: list[str]) -> None:
    program = "import os, pwd; home = os.path.expanduser('~'); print(home, os.path.exists(home))"
    own = "root:x:0:0::/root:/bin/sh\n"
    users = python / "etc/passwd"
    users.parent.mkdir(exist_ok=True)
    users.write_text(own)

    with ImageSandbox(
        python,
        command=[f"/var/lang/bin/{PYTHON}", "-c", f"{program}; print(pwd.getpwnam('root').pw_dir)"],
        workdir="/",
        environment={"LD_LIBRARY_PATH": "/var/lang/lib"},
        log=log.append,
    ) as sandbox:
        sandbox.start(10)

    assert log == [f"{LAMBDAS_HOME} False", "/root"]
    assert users.read_text() == own


@pytest.mark.parametrize(
    "members",
    [
        (Symlink("etc/passwd", "../usr/lib/users"), File("usr/lib/users", "me:x:5:5::/me:\n")),
        (Symlink("etc/passwd", "/usr/lib/users"), File("usr/lib/users", "me:x:5:5::/me:\n")),
        (Symlink("etc", "/usr/etc"), File("usr/etc/passwd", "me:x:5:5::/me:\n")),
        # Not above its root: the kernel stays there, too.
        (Symlink("etc/passwd", "../../../users"), File("users", "me:x:5:5::/me:\n")),
    ],
)
def test_the_list_of_users_may_be_a_link(
    tmp_path: Path, log: list[str], members: tuple[File | Symlink, ...]
) -> None:
    image = write_image(tmp_path / "image", [layer_of(*aws_like_base()[:-1], *members)])
    outside = tmp_path / "users"
    outside.write_text("not the image's")

    with ImageSandbox(
        unpack(image.folder, tmp_path / "rootfs"),
        command=["/bin/busybox", "cat", "/etc/passwd"],
        workdir="/",
        environment={},
        log=log.append,
    ) as sandbox:
        sandbox.start(10)

    assert [line.partition(":")[0] for line in log] == ["sbx_user1051", "me"]
    assert outside.read_text() == "not the image's"


@pytest.mark.parametrize(
    "members",
    [
        (Symlink("etc/passwd", "passwd"),),
        (Symlink("etc/passwd", "/nowhere/passwd"),),
        (Symlink("etc", "/nowhere"),),
        (Directory("etc/passwd"),),
    ],
)
def test_an_image_that_can_have_no_list_of_users_is_started_without(
    tmp_path: Path, log: list[str], members: tuple[Directory | Symlink, ...]
) -> None:
    image = write_image(tmp_path / "image", [layer_of(*aws_like_base()[:-1], *members)])

    with ImageSandbox(
        unpack(image.folder, tmp_path / "rootfs"),
        command=["/bin/busybox", "id", "-u"],
        workdir="/",
        environment={},
        log=log.append,
    ) as sandbox:
        sandbox.start(10)

    assert log == ["993"]


def test_the_home_cannot_be_made(make: Start, log: list[str]) -> None:
    script = f"/bin/busybox mkdir -p {LAMBDAS_HOME}; /bin/busybox touch {LAMBDAS_HOME}"

    make(["/bin/sh", "-c", script]).start(10)

    assert ["Read-only file system" in line for line in log] == [True, True]


@pytest.mark.proof
def test_node_finds_its_home(tmp_path: Path, log: list[str]) -> None:
    node = Path(run(["node", "-p", "process.execPath"]).strip())
    libraries = re.findall(r"(/\S+) \(0x", run(["ldd", str(node)]))
    rootfs = tmp_path / "rootfs"
    for file in (node, *map(Path, libraries)):
        copy = rootfs / (file.relative_to("/") if file is not node else "bin/node")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)

    with ImageSandbox(
        rootfs,
        command=["node", "-p", "os.homedir() + ' ' + os.userInfo().username"],
        workdir="/",
        environment={},
        log=log.append,
    ) as sandbox:
        sandbox.start(10)

    assert log == [f"{LAMBDAS_HOME} sbx_user1051"]


def test_nothing_is_mounted_on_a_link_that_leads_elsewhere(tmp_path: Path, log: list[str]) -> None:
    files = (Symlink("tmp", "kept"), Symlink("dev", "/nowhere"), File("kept/here", "1"))
    image = write_image(tmp_path / "image", [layer_of(*aws_like_base()[:-1], *files)])
    rootfs = unpack(image.folder, tmp_path / "rootfs")

    with ImageSandbox(
        rootfs,
        command=["/bin/busybox", "ls", "/kept"],
        workdir="/",
        environment={},
        log=log.append,
    ) as sandbox:
        sandbox.start(10)

    assert log == ["here"]


@pytest.mark.proof
def test_a_folder_to_mount_on_that_another_process_of_the_image_makes_meanwhile(
    make: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert make().start(10) is None

    with monkeypatch.context() as before:
        before.setattr("os.path.lexists", lambda _: False)
        assert make().start(10) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has groups to give")
def test_it_has_none_of_our_groups(make: Start, log: list[str]) -> None:
    ours = os.getgroups()
    os.setgroups([0, 42])
    try:
        make(["/bin/busybox", "id"]).start(10)
    finally:
        os.setgroups(ours)

    assert log == ["uid=993(sbx_user1051) gid=990"]


def test_what_it_writes_last_has_been_logged_when_it_fails(make: Start, log: list[str]) -> None:
    script = "echo one; echo two >/dev/stderr || echo no; printf three; exit 1"

    assert make(["/bin/sh", "-c", script]).start(10)

    # The pipe is another user's, as it is on Lambda.
    assert log == ["one", "/bin/sh: can't create /dev/stderr: Permission denied", "no", "three"]


def test_bubblewrap_that_fails_is_quoted(
    make: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bwrap = tmp_path / "bwrap"
    bwrap.write_text("#!/bin/sh\necho bwrap: No permissions to create new namespace\nexit 1\n")
    bwrap.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(ImageSandboxError, match="cannot be set up: bwrap: No permissions") as told:
        make().start(10)
    assert ("usermod --add-subuids" in str(told.value.hint)) == (os.geteuid() != 0)


def test_missing_programs_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    require_tools()

    monkeypatch.setattr(shutil, "which", lambda _name: None)

    with pytest.raises(ImageSandboxError, match="are not installed") as missing:
        require_tools()
    assert str(missing.value.hint).startswith("apt-get install umoci bubblewrap")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ImageSandboxError, match="umoci, bwrap, unshare, newuidmap are not install"):
        require_tools()
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ImageSandboxError, match="on Linux only"):
        require_tools()


def test_an_image_of_docker_is_unpacked_too(tmp_path: Path) -> None:
    layer = layer_of(File("app/run", tiny_elf(), 0o750))
    image = write_image(tmp_path / "oci", [layer], entrypoint=["/app/run"])
    skopeo_copy(image.reference, f"dir:{tmp_path}/dir", "--format", "v2s2")
    skopeo_copy(f"dir:{tmp_path}/dir", f"docker-archive:{tmp_path}/image.tar:rooms:1")
    manifest = json.loads((tmp_path / "dir/manifest.json").read_bytes())
    assert "docker" in manifest["mediaType"]
    layout = tmp_path / "layout"
    (layout / "blobs/sha256").mkdir(parents=True)
    for blob in (tmp_path / "dir").glob("?" * 64):
        shutil.copy(blob, layout / "blobs/sha256")
    digest = "0" * 64
    shutil.copy(tmp_path / "dir/manifest.json", layout / "blobs/sha256" / digest)

    rootfs = unpack(layout, tmp_path / "rootfs", digest=f"sha256:{digest}")

    assert (rootfs / "app/run").stat().st_mode & 0o777 == 0o750


def test_images_that_cannot_be_unpacked(tmp_path: Path) -> None:
    layer, other = layer_of(File("a", "1" * 100)), layer_of(File("a", "2" * 100))
    image = write_image(tmp_path / "image", [layer])
    image.blob(layer.digest).write_bytes(other.blob)

    with pytest.raises(ImageSandboxError, match=r"umoci cannot unpack sha256:.*verif"):
        unpack(image.folder, tmp_path / "1")
    second = write_image(tmp_path / "image", [other], entrypoint=["/a"])
    write_layout(image.folder, image, second)
    with pytest.raises(ImageSandboxError, match="has 2 images; one must be named"):
        unpack(image.folder, tmp_path / "2")
    unpack(image.folder, tmp_path / "3", digest=second.digest)
    write_index(image.folder, second)
    with pytest.raises(ImageSandboxError, match="has no image to unpack: KeyError"):
        unpack(image.folder, tmp_path / "4", digest=only_image(image.folder).digest)
    with pytest.raises(ImageSandboxError, match="is no digest"):
        unpack(image.folder, tmp_path / "5", digest="sha256:../../x")
