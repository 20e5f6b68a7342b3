"""The harness tells the truth: what it says of a start is what the kernel and AWS's client do."""

import os
import re
from collections.abc import Iterator
from errno import E2BIG, EACCES, ELIBBAD, ELOOP, ENAMETOOLONG, ENOENT, ENOEXEC, ENOTDIR
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from local.practice.base_files import HANDLER_MISSING, PYTHON
from tests.support.imagecheck.images import (
    Directory,
    File,
    HardLink,
    Member,
    Opaque,
    Symlink,
    Whiteout,
    layer_of,
    only_image,
    write_image,
)
from tests.support.imagecheck.programs import (
    OTHER_MACHINE,
    aws_like_base,
    busybox,
    of_other_cpu,
    tiny_elf,
)
from tests.support.imagecheck.python_runtime import python_base
from tests.support.imagecheck.starting import Started, start, start_folder, unpack
from tests.support.imagecheck.tools import buildah_build, skopeo_copy
from tests.support.sampling import mostly_proofs_of

PROGRAM = tiny_elf()
FOREIGN = tiny_elf(machine=OTHER_MACHINE)
LINKED = tiny_elf(interpreter="/lib/ld.so")
SCRIPT = "#!/bin/sh\nexit 5\n"
SHELL = (File("bin/busybox", busybox(), 0o755), Symlink("bin/sh", "busybox"))


@pytest.fixture(scope="module")
def shell() -> Iterator[Path]:
    """The root directory of an image laid out like AWS's."""
    with TemporaryDirectory() as folder:
        image = write_image(Path(folder), [layer_of(*aws_like_base(), Directory("open", 0o777))])
        yield unpack(image, Path(folder) / "rootfs")


def start_members(folder: Path, members: tuple[Member, ...], command: list[str]) -> Started:
    return start(write_image(folder, [layer_of(*members)]), command)


def run_shell(rootfs: Path, script: str, *, timeout: float = 10) -> Started:
    return start_folder(rootfs, ["/bin/sh", "-c", script], timeout=timeout)


STARTS = {
    "a program": (File("run", PROGRAM, 0o755),),
    "a program that nobody may read": (File("run", PROGRAM, 0o711),),
    "a link": (Symlink("run", "app/it"), File("app/it", PROGRAM, 0o755)),
    "an absolute link": (Symlink("run", "/app/it"), File("app/it", PROGRAM, 0o755)),
    "a hard link": (File("app/it", PROGRAM, 0o755), HardLink("run", "/app/it")),
    "a script": (File("run", "#!/bin/it", 0o755), File("bin/it", PROGRAM, 0o755)),
    "a script of a script": (
        File("run", "#! /first", 0o755),
        File("first", "#!/bin/it -x\n", 0o755),
        File("bin/it", PROGRAM, 0o755),
    ),
    "a program with a loader": (File("run", LINKED, 0o755), File("lib/ld.so", PROGRAM, 0o755)),
}


@pytest.mark.parametrize("members", STARTS.values(), ids=STARTS.keys())
def test_what_can_start_starts(tmp_path: Path, members: tuple[Member, ...]) -> None:
    started = start_members(tmp_path, members, ["/run"])

    assert started == Started(error_type="Runtime.ExitError", exit_status=0)


DOES_NOT_START = {
    "another CPU": (ENOEXEC, (File("run", FOREIGN, 0o755),)),
    "another CPU's shell": (
        ENOEXEC,
        (File("run", SCRIPT, 0o755), File("bin/sh", of_other_cpu(busybox()), 0o755)),
    ),
    "no shebang": (ENOEXEC, (*SHELL, File("run", "exit 0\n", 0o755))),
    "a byte order mark": (ENOEXEC, (*SHELL, File("run", b"\xef\xbb\xbf" + SCRIPT.encode(), 0o755))),
    "an empty file": (ENOEXEC, (File("run", "", 0o755),)),
    "a file that is not there": (ENOENT, ()),
    "a dangling link": (ENOENT, (Symlink("run", "nowhere"),)),
    "a line that ends as in Windows": (
        ENOENT,
        (*SHELL, File("run", SCRIPT.replace("\n", "\r\n"), 0o755)),
    ),
    "no interpreter": (ENOENT, (File("run", SCRIPT, 0o755),)),
    "no loader": (ENOENT, (File("run", LINKED, 0o755),)),
    "not for others": (EACCES, (File("run", PROGRAM, 0o750),)),
    "not executable at all": (EACCES, (File("run", PROGRAM, 0o644),)),
    "a directory": (EACCES, (Directory("run"),)),
    "a closed directory on the way": (
        EACCES,
        (Symlink("run", "app/it"), Directory("app", 0o700), File("app/it", PROGRAM, 0o755)),
    ),
    "an interpreter not for others": (
        EACCES,
        (File("run", SCRIPT, 0o755), File("bin/sh", busybox(), 0o750)),
    ),
    "a loader that is not executable": (
        EACCES,
        (File("run", LINKED, 0o755), File("lib/ld.so", PROGRAM, 0o644)),
    ),
    "links in a circle": (ELOOP, (Symlink("run", "there"), Symlink("there", "run"))),
    "a script that interprets itself": (ELOOP, (File("run", "#!/run\n", 0o755),)),
    "another CPU's loader": (
        ELIBBAD,
        (File("run", LINKED, 0o755), File("lib/ld.so", FOREIGN, 0o755)),
    ),
}


@pytest.mark.parametrize(("errno", "members"), DOES_NOT_START.values(), ids=DOES_NOT_START.keys())
def test_what_cannot_start_says_why(
    tmp_path: Path, errno: int, members: tuple[Member, ...]
) -> None:
    started = start_members(tmp_path, members, ["/run"])

    assert started == Started(error_type="Runtime.InvalidEntrypoint", errno=errno)


@pytest.mark.parametrize(
    ("command", "errno"),
    [
        ("app.handler", ENOENT),
        ("/bin/busybox/sh", ENOTDIR),
        ("/" + "x" * 256, ENAMETOOLONG),
    ],
)
def test_names_of_no_file(shell: Path, command: str, errno: int) -> None:
    assert start_folder(shell, [command]).errno == errno


def test_an_environment_that_is_too_large(shell: Path) -> None:
    limit = 128 * 1024  # MAX_ARG_STRLEN of linux/binfmts.h, with name, '=' and the final zero

    fits = start_folder(shell, ["/bin/sh", "-c", "exit 0"], env={"X": "x" * (limit - 3)})
    does_not = start_folder(shell, ["/bin/sh", "-c", "exit 0"], env={"X": "x" * (limit - 2)})

    assert (fits.exit_status, fits.errno) == (0, None)
    assert (does_not.error_type, does_not.errno) == ("Runtime.InvalidEntrypoint", E2BIG)


@pytest.mark.parametrize(
    ("workdir", "error_type", "errno"),
    [
        ("/nowhere", "Runtime.InvalidWorkingDir", ENOENT),
        ("var/task", "Runtime.InvalidWorkingDir", None),
        # Lambda looks for it as root and enters it as its user, when the entrypoint is started:
        # https://github.com/aws/aws-lambda-runtime-interface-emulator/blob/main/internal/lambda-managed-instances/rapid/handlers.go
        ("/root", "Runtime.InvalidEntrypoint", EACCES),
        ("/run", "Runtime.InvalidEntrypoint", ENOTDIR),
        ("/var/task", "Runtime.ExitError", None),
    ],
)
def test_the_working_directory(
    tmp_path: Path, workdir: str, error_type: str, errno: int | None
) -> None:
    members = (File("run", PROGRAM, 0o755), Directory("root", 0o700), Directory("var/task"))
    image = write_image(tmp_path, [layer_of(*members)])

    started = start(image, ["/run"], workdir=workdir)

    assert (started.error_type, started.errno) == (error_type, errno)


def test_the_process_is_lambdas_user_and_the_files_are_another_users(shell: Path) -> None:
    started = run_shell(shell, "/bin/busybox id; /bin/busybox stat -c %u:%g /bin/busybox")

    assert started.output == "uid=993(sbx_user1051) gid=990\n0:0\n"


def test_the_process_sees_nothing_of_this_machine(shell: Path) -> None:
    started = run_shell(shell, "echo $$ /proc/[0-9]* /dev/* /tmp/*; read line || pwd; umask")

    names = "fd full null random stderr stdin stdout urandom zero"
    devices = " ".join(f"/dev/{name}" for name in names.split())
    assert started == Started(
        error_type="Runtime.ExitError",
        exit_status=0,
        output=f"2 /proc/1 /proc/2 {devices} /tmp/*\n/\n0022\n",
    )


def test_the_process_gets_the_environment_it_is_given_and_nothing_of_ours(shell: Path) -> None:
    started = start_folder(shell, ["/bin/busybox", "env"], env={"A": "b c"})
    files = start_folder(shell, ["/bin/busybox", "ls", "/proc/self/fd"])
    wanted = "^(Groups|SigIgn|CapEff)"
    status = start_folder(shell, ["/bin/busybox", "grep", "-E", wanted, "/proc/self/status"])

    assert re.fullmatch(r"A=b c\nAWS_LAMBDA_RUNTIME_API=127\.0\.0\.1:\d+\n", started.output)
    assert files.output == "0\n1\n2\n3\n"  # The last is the directory that ls reads.
    _, _, ignored, _, capabilities = status.output.split()
    # Of the signals that a program can set: the C library keeps the next ones to itself.
    assert (int(ignored, 16) & 0x7FFF_FFFF, int(capabilities, 16)) == (0, 0)


def test_only_tmp_can_be_written(shell: Path) -> None:
    started = run_shell(
        shell, "echo a >/tmp/a && /bin/busybox cat /tmp/a; echo b >/open/b || exit 9"
    )

    assert started.output.splitlines()[0] == "a"
    assert "Read-only file system" in started.output
    assert started.exit_status == 9
    assert not list((shell / "tmp").iterdir())


def test_a_process_that_a_signal_ends(shell: Path) -> None:
    assert run_shell(shell, "kill -9 $$") == Started(error_type="Runtime.ExitError", signal=9)


@pytest.mark.proof
def test_a_process_that_never_asks_for_an_event_leaves_nothing_behind(shell: Path) -> None:
    mark = str(10**6 + os.getpid())

    script = f"(trap '' TERM; exec /bin/busybox sleep {mark}) & echo here; wait"
    started = run_shell(shell, script, timeout=2)

    assert (started.error_type, started.output) == ("Sandbox.Timedout", "here\n")
    assert (started.exit_status, started.signal) == (None, None)
    assert mark not in "".join(_command_lines())
    assert str(shell) not in Path("/proc/mounts").read_text()


@pytest.mark.parametrize("arguments", [[], ["app.handler", "x"], ["/bin/sh", "-c", "app.handler"]])
def test_the_entrypoint_wants_one_argument(shell: Path, arguments: list[str]) -> None:
    started = start_folder(shell, ["/lambda-entrypoint.sh", *arguments])

    assert started == Started(
        error_type="Runtime.ExitError", exit_status=142, output=f"{HANDLER_MISSING}\n"
    )


def test_a_runtime_that_asks_for_its_first_event_is_ready(shell: Path) -> None:
    assert start_folder(shell, ["/lambda-entrypoint.sh", "app.handler"]).error_type == ""


def test_layers_are_laid_over_each_other(tmp_path: Path) -> None:
    lower = layer_of(
        *SHELL,
        File("gone/a", "1"),
        File("emptied/a", "1"),
        Directory("closed", 0o711),
        Symlink("link", "closed"),
        File("kept", "1", 0o604),
    )
    upper = layer_of(Whiteout("gone"), Opaque("emptied"), File("emptied/b", "2"))
    above = layer_of(File("closed/c", "3"), parents=False)
    rootfs = unpack(write_image(tmp_path / "image", [lower, upper, above]), tmp_path / "rootfs")

    found = {
        str(path.relative_to(rootfs)): f"{path.lstat().st_mode & 0o7777:o}"
        for path in rootfs.rglob("*")
        if path.relative_to(rootfs).parts[0] != "bin"
    }

    assert found == {
        "emptied": "755",
        "emptied/b": "644",
        "closed": "711",
        "closed/c": "644",
        "link": "777",
        "kept": "604",
    }


@pytest.mark.proof
def test_an_image_that_a_builder_made(tmp_path: Path) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "run").write_bytes(tiny_elf(exit_status=7))
    (context / "run").chmod(0o755)
    (context / "Dockerfile").write_text('FROM scratch\nCOPY run /run\nENTRYPOINT ["/run"]\n')
    archive = f"docker-archive:{tmp_path}/image.tar"

    buildah_build(context, archive, storage=tmp_path / "storage", kind="docker")
    skopeo_copy(archive, f"oci:{tmp_path}/image:latest")

    assert start(only_image(tmp_path / "image"), ["/run"]).exit_status == 7


HANDLERS = (
    File("var/task/app.py", "def handler(event, context): return event\n"),
    File("var/task/package/module.py", "from app import handler\n"),
    File("var/task/imports.py", "import nothere\n"),
    File("var/task/broken.py", "def handler(:\n"),
    File("var/task/raises.py", "1 / 0\n"),
    File("var/task/writes.py", "open('/var/task/x', 'w')\n"),
    File("var/task/ends.py", "raise SystemExit(7)\n"),
    File("var/task/unreadable.py", "", 0o600),
    Directory("var/task/closed", 0o700),
    File("var/task/closed/module.py", ""),
    File("var/task/native.so", FOREIGN, 0o755),
)


@pytest.fixture(scope="module")
def python() -> Iterator[Path]:
    """The root directory of an image with a real CPython, AWS's client and handlers."""
    with TemporaryDirectory() as folder:
        image = write_image(Path(folder), [python_base(), layer_of(*HANDLERS)])
        yield unpack(image, Path(folder) / "rootfs")


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    mostly_proofs_of(
        [
            ("app.handler", "", ""),
            ("package.module.handler", "", ""),
            ("package/module.handler", "", ""),
            ("imports.handler", "Runtime.ImportModuleError", "No module named 'nothere'"),
            ("nothere.handler", "Runtime.ImportModuleError", "No module named 'nothere'"),
            ("broken.handler", "Runtime.UserCodeSyntaxError", "invalid syntax"),
            ("app.nothere", "Runtime.HandlerNotFound", "Handler 'nothere' missing on module 'app'"),
            ("nodots", "Runtime.MalformedHandlerName", "Bad handler 'nodots'"),
            ("time.handler", "Runtime.BuiltInModuleConflict", "built-in module time"),
            # What the module itself raises keeps its own name, and so does what cannot be read ...
            ("raises.handler", "ZeroDivisionError", "division by zero"),
            ("writes.handler", "OSError", "[Errno 30] Read-only file system"),
            ("unreadable.handler", "PermissionError", "[Errno 13] Permission denied"),
            # ... but a directory that cannot be searched is as if it were empty.
            (
                "closed.module.handler",
                "Runtime.ImportModuleError",
                "No module named 'closed.module'",
            ),
            ("native.handler", "Runtime.ImportModuleError", "cannot open shared object file"),
            ("ends.handler", "Runtime.ExitError", ""),
        ]
    ),
)
def test_what_awss_client_reports_of_a_handler(
    python: Path, handler: str, error_type: str, message: str
) -> None:
    started = start_folder(python, ["/lambda-entrypoint.sh", handler], workdir="/var/task")

    assert (started.error_type, started.errno, started.signal) == (error_type, None, None), started
    assert message in started.message


@pytest.mark.proof
def test_the_last_words_of_a_process_are_waited_for(python: Path) -> None:
    started = start_folder(python, ["/lambda-entrypoint.sh", "imports.handler"])

    assert started.exit_status == 1
    assert "[ERROR] Runtime.ImportModuleError: Unable to import module 'imports'" in started.output


@pytest.mark.proof
def test_a_client_without_awss_entrypoint_imports_from_the_working_directory(python: Path) -> None:
    command = [f"/var/lang/bin/{PYTHON}", "-m", "awslambdaric", "app.handler"]
    env = {"LD_LIBRARY_PATH": "/var/lang/lib"}

    assert start_folder(python, command, workdir="/var/task", env=env).error_type == ""
    elsewhere = start_folder(python, command, workdir="/var", env=env)
    assert elsewhere.error_type == "Runtime.ImportModuleError"


def _command_lines() -> Iterator[str]:
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            try:
                yield (process / "cmdline").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
