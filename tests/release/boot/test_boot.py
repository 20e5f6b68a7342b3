"""The result of a boot: the image starts and answers, or fails in Lambda's words."""

import dataclasses
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import release.boot.boot
from imagecheck.errors import FailedError
from imagecheck.function import MACHINES
from lambda_runtime.emulator import Emulator
from lambda_runtime.image_sandbox import ImageSandbox
from local.docker_registry import running_registry
from release.boot.answer import Boot, as_text, result_of
from release.boot.engine import choose_engine, this_cpu
from release.build.gates import passed_gates
from release.build.record import BuildRecord, write_record
from release.cli import main
from tests.release.boot.conftest import CPUS, BootIt, Deployed
from tests.support.cdk_context import CDK_JSON
from tests.support.imagecheck.images import (
    Directory,
    File,
    Image,
    Layer,
    Member,
    layer_of,
    write_attestation,
    write_image,
    write_index,
)
from tests.support.imagecheck.programs import (
    ARCHITECTURES,
    HOST,
    HOST_MACHINE,
    OTHER,
    OTHER_MACHINE,
    aws_like_base,
    tiny_elf,
)
from tests.support.imagecheck.python_runtime import python_base
from tests.support.imagecheck.tools import skopeo_copy
from tests.support.release.output import parse_output
from tests.support.release.rooms_image import rooms_image

pytestmark = pytest.mark.usefixtures("boot")

BASE = layer_of(*aws_like_base())
HANDLERS = {
    "answers_500": "def handler(event, context): return {'statusCode': 500, 'body': '{}'}",
    "answers_nothing": "def handler(event, context): return None",
    "hangs": "import time\ndef handler(event, context): time.sleep(60)",
    "hangs_at_init": "import time\ntime.sleep(60)",
    "ends": "import os\ndef handler(event, context): os._exit(3)",
    "allocates": "x = bytearray(400 * 1024 * 1024)\ndef handler(event, context): pass",
    "writes": "open('/tmp/a', 'w').close()\nopen('/var/task/a', 'w')",
    "tells": (
        "import json, os\nprint(json.dumps([os.getuid(), os.getgid(), dict(os.environ)]))\n"
        "raise ZeroDivisionError"
    ),
    "imports": "import nothere",
    "forgets": """
import json, os
asked = 0
def handler(event, context):
    global asked
    asked += 1
    if asked == 3:
        os._exit(1)
    player = {"name": "probe", "playerId": "p"}
    room = {"players": [player], "hostId": "p"}
    body = {"roomId": "ABCDEF", "playerToken": "t", "room": room}
    return {"statusCode": 200 if asked == 1 else 500, "body": json.dumps(body)}
""",
    "unreadable": "",
}


def small(folder: Path, *members: Member, **options: Any) -> Image:
    """An image with a shell; its runtime asks for one event and ends."""
    layers = [BASE, layer_of(*members)] if members else [BASE]
    options = {"entrypoint": ["/lambda-entrypoint.sh"], "cmd": ["app.handler"], **options}
    return write_image(folder, layers, **{"architecture": HOST, **options})


def with_handlers(folder: Path, name: str, **options: Any) -> Image:
    return write_image(
        folder,
        [python_base(), _handlers()],
        **{
            "architecture": HOST,
            "entrypoint": ["/lambda-entrypoint.sh"],
            "cmd": [f"{name}.handler"],
            **options,
        },
    )


def _handlers() -> Layer:
    return layer_of(
        *(
            File(f"var/task/{name}.py", code, 0o600 if name == "unreadable" else 0o644)
            for name, code in HANDLERS.items()
        )
    )


def failure(boot: Boot) -> tuple[str, str]:
    assert boot.failure
    return boot.failure.error_type, boot.failure.at


def test_a_good_image_starts_and_plays(boot: BootIt, tmp_path: Path) -> None:
    image = rooms_image(tmp_path)

    found = boot(image)

    assert found.failure is None, found
    assert [step.name for step in found.steps][:2] == ["create", "join"]
    assert found.steps[-1].status == 404
    assert found.ready_milliseconds and found.ready_milliseconds > 0
    assert found.where.startswith("bubblewrap")
    assert found.notes == ()


@pytest.mark.proof
def test_a_table_that_is_another_one_is_seen(
    boot: BootIt, deployed: Deployed, tmp_path: Path
) -> None:
    deployed.function["Environment"]["Variables"]["ROOMS_TABLE"] = "nowhere"

    found = boot(rooms_image(tmp_path))

    assert failure(found) == ("", "create")
    assert found.failure and "503 UNAVAILABLE" in found.failure.message
    assert found.ready_milliseconds
    (note,) = found.notes
    assert note.endswith("its template makes: hima-five-bomber-local-rooms")


@pytest.mark.proof
def test_a_table_that_is_referred_to_is_found(
    boot: BootIt, deployed: Deployed, tmp_path: Path
) -> None:
    (logical_id,) = (
        k for k, v in deployed.template["Resources"].items() if v["Type"] == "AWS::DynamoDB::Table"
    )
    deployed.function["Environment"]["Variables"]["ROOMS_TABLE"] = {"Ref": logical_id}

    assert boot(rooms_image(tmp_path)).failure is None


@pytest.mark.proof
@pytest.mark.parametrize(
    ("handler", "error", "message"),
    [
        ("answers_500", ("", "create"), "status 500, wanted 200"),
        # What comes of tidying up afterwards is not what is told.
        ("forgets", ("", "join"), "status 500, wanted 200"),
        ("answers_nothing", ("", "create"), "no response of payload 2.0"),
        ("ends", ("Runtime.ExitError", "create"), "exit status 3"),
        ("allocates", ("MemoryError", "init"), ""),
        ("writes", ("OSError", "init"), "Read-only file system: '/var/task/a'"),
        ("imports", ("Runtime.ImportModuleError", "init"), "No module named 'nothere'"),
        ("missing", ("Runtime.ImportModuleError", "init"), "No module named 'missing'"),
        ("unreadable", ("PermissionError", "init"), "Permission denied: '/var/task/unreadable.py'"),
    ],
)
def test_what_goes_wrong_in_python_is_told_as_lambda_does(
    boot: BootIt, tmp_path: Path, handler: str, error: tuple[str, str], message: str
) -> None:
    found = boot(with_handlers(tmp_path, handler))

    assert failure(found) == error
    assert found.failure and message in found.failure.message


@pytest.mark.proof
def test_an_invocation_and_an_init_that_hang(
    boot: BootIt, deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed.function["Timeout"] = 1
    found = boot(with_handlers(tmp_path / "1", "hangs"))
    assert failure(found) == ("Sandbox.Timedout", "create")
    assert found.failure and "Task timed out after 1.00 seconds" in found.failure.message

    monkeypatch.setattr(release.boot.boot, "INIT_TIMEOUT_SECONDS", 1)
    found = boot(with_handlers(tmp_path / "2", "hangs_at_init"))
    assert failure(found) == ("Sandbox.Timedout", "init")
    assert found.failure and "within 1 s" in found.failure.message


@pytest.mark.proof
def test_a_handler_path_that_is_wrong(boot: BootIt, tmp_path: Path) -> None:
    found = boot(rooms_image(tmp_path, cmd=["rooms.main.nothere"]))

    assert failure(found) == ("Runtime.HandlerNotFound", "init")
    assert any("nothere" in line for line in found.output)


@pytest.mark.proof
def test_user_and_environment_are_the_functions(
    boot: BootIt, deployed: Deployed, tmp_path: Path
) -> None:
    deployed.function["Environment"]["Variables"]["MODE"] = "of the function"
    deployed.function["MemorySize"] = 333
    config = {
        "Entrypoint": ["/lambda-entrypoint.sh"],
        "Cmd": ["tells.handler"],
        "User": "root",
        "WorkingDir": "/var/task",
        "Env": ["MODE=of the image", "FROM_IMAGE=1", "AWS_REGION=nowhere"],
    }

    found = boot(with_handlers(tmp_path, "tells", config_changes={"config": config}))

    assert failure(found) == ("ZeroDivisionError", "init")
    uid, gid, environment = json.loads(found.output[0])
    assert (uid, gid) == (993, 990)
    assert environment["MODE"] == "of the function"
    assert environment["FROM_IMAGE"] == "1"
    assert environment["AWS_REGION"] == "ap-northeast-1"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "333"
    assert environment["AWS_LAMBDA_LOG_FORMAT"] == "JSON"
    assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert "PYTEST_CURRENT_TEST" not in environment


RUN = "app/run"
PROGRAM = tiny_elf()


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (None, "fork/exec /app/run: no such file or directory"),
        (File(RUN, PROGRAM, 0o644), "fork/exec /app/run: permission denied"),
        (File(RUN, PROGRAM, 0o750), "fork/exec /app/run: permission denied"),
        (File(RUN, "#!/bin/sh\r\n", 0o755), "fork/exec /app/run: no such file or directory"),
        (File(RUN, "exit 0\n", 0o755), "fork/exec /app/run: exec format error"),
        (File(RUN, tiny_elf(machine=OTHER_MACHINE), 0o755), "fork/exec /app/run: exec format err"),
        (Directory(RUN), "fork/exec /app/run: permission denied"),
    ],
)
def test_an_entrypoint_that_cannot_be_started(
    boot: BootIt, tmp_path: Path, member: Member | None, message: str
) -> None:
    found = boot(small(tmp_path, *([member] if member else []), entrypoint=["/app/run"]))

    assert failure(found) == ("Runtime.InvalidEntrypoint", "init")
    assert found.failure and found.failure.message.startswith(message)


@pytest.mark.parametrize(
    ("options", "type_"),
    [
        ({"entrypoint": None, "cmd": None}, "Runtime.InvalidEntrypoint"),
        ({"entrypoint": ["app.handler"], "cmd": None}, "Runtime.InvalidEntrypoint"),
        ({"workdir": "/nowhere"}, "Runtime.InvalidWorkingDir"),
        ({"cmd": None}, "Runtime.ExitError"),
    ],
)
def test_commands_and_folders_that_are_wrong(
    boot: BootIt, tmp_path: Path, options: dict[str, Any], type_: str
) -> None:
    assert failure(boot(small(tmp_path, **options))) == (type_, "init")


def test_the_functions_overrides_decide(boot: BootIt, deployed: Deployed, tmp_path: Path) -> None:
    image = small(tmp_path, File(RUN, PROGRAM, 0o755), entrypoint=["/nowhere"], workdir="/nowhere")
    deployed.function["ImageConfig"] = {
        "EntryPoint": ["/bin/sh", "-c"],
        "Command": ["echo $PWD; exit 9"],
        "WorkingDirectory": "/opt",
    }

    found = boot(image)

    assert failure(found) == ("Runtime.ExitError", "init")
    assert found.output == ("/opt",)


def test_another_cpu_than_the_functions_cannot_start_although_this_machine_could(
    boot: BootIt, deployed: Deployed, tmp_path: Path
) -> None:
    deployed.function["Architectures"] = [CPUS[OTHER]]

    for says in (HOST, OTHER):
        found = boot(small(tmp_path / says, architecture=says))

        assert failure(found) == ("Runtime.InvalidEntrypoint", "init")
        assert found.failure
        assert found.failure.message.startswith("fork/exec /lambda-entrypoint.sh: exec format err")
        assert f"the function is {CPUS[OTHER]}" in found.failure.message
        assert found.where == ""


def of_other_cpu(deployed: Deployed, monkeypatch: pytest.MonkeyPatch, found: Any) -> None:
    """Let the function have the other CPU, and this machine the emulator ``found`` for it."""
    deployed.function["Architectures"] = [CPUS[OTHER]]
    monkeypatch.setattr("release.boot.engine.emulator_of", lambda _machine: found)


def test_an_image_for_a_function_of_another_cpu_can_only_be_read_here(
    boot: BootIt, deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_other_cpu(deployed, monkeypatch, None)
    program = File(RUN, tiny_elf(machine=OTHER_MACHINE), 0o755)
    good = small(tmp_path / "good", program, architecture=OTHER, entrypoint=["/app/run"])
    bad = small(tmp_path / "bad", architecture=OTHER, entrypoint=["/nowhere"])

    with pytest.raises(FailedError, match=f"function is {CPUS[OTHER]} and this machine is") as told:
        boot(good)
    assert failure(boot(bad)) == ("Runtime.InvalidEntrypoint", "init")
    build_there, emulate, skip = str(told.value.hint).splitlines()
    assert build_there.endswith("python -m release boot local")
    assert "sudo apt-get install qemu-user-static" in emulate
    assert f"tonistiigi/binfmt --install {OTHER})" in emulate
    assert "pre-traffic hook is the gate that remains" in skip
    assert skip.endswith("python -m release ship local --skip-boot")


def test_an_emulator_that_no_image_finds_is_none(
    boot: BootIt, deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_other_cpu(deployed, monkeypatch, Emulator("/usr/bin/qemu-x", is_fixed=False))
    program = File(RUN, tiny_elf(machine=OTHER_MACHINE), 0o755)
    image = small(tmp_path, program, architecture=OTHER, entrypoint=["/app/run"])

    with pytest.raises(FailedError, match="/usr/bin/qemu-x was registered without the flag F"):
        boot(image)


@pytest.mark.proof
def test_an_image_that_runs_emulated_says_so(
    boot: BootIt, deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_other_cpu(deployed, monkeypatch, Emulator("/usr/bin/qemu-x", is_fixed=True))
    # The kernel of this machine starts it all the same: only Lambda's word for its CPU is another.
    monkeypatch.setitem(MACHINES, CPUS[OTHER], HOST_MACHINE)
    limits: list[int | None] = []

    class Sandbox(ImageSandbox):
        def __init__(self, *arguments: Any, memory_mb: int | None, **options: Any) -> None:
            limits.append(memory_mb)
            super().__init__(*arguments, memory_mb=memory_mb, **options)

    monkeypatch.setattr("release.boot.boot.ImageSandbox", Sandbox)

    found = boot(rooms_image(tmp_path, architecture=OTHER))

    assert found.failure is None, found
    assert found.emulator == "/usr/bin/qemu-x"
    assert limits == [None]
    (note,) = found.notes
    assert note.startswith("it ran emulated, by /usr/bin/qemu-x: its times are not Lambda's")
    text = as_text(found, stage="local", recorded=True).splitlines()
    assert "  emulated by /usr/bin/qemu-x" in text
    assert text[-1].startswith("it starts, emulated, and passes the contract test; recorded for")
    assert result_of(found, recorded=True).emulated_by == "/usr/bin/qemu-x"


@pytest.mark.proof
def test_what_takes_too_long_emulated_gets_more_time_and_may_be_the_emulators(
    boot: BootIt, deployed: Deployed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_other_cpu(deployed, monkeypatch, Emulator("/usr/bin/qemu-x", is_fixed=True))
    monkeypatch.setitem(MACHINES, CPUS[OTHER], HOST_MACHINE)
    monkeypatch.setattr(release.boot.boot, "INIT_TIMEOUT_SECONDS", 0.1)

    found = boot(with_handlers(tmp_path, "hangs_at_init", architecture=OTHER))

    assert found.failure and "within 1 s" in found.failure.message
    *_, last = as_text(found, stage="local", recorded=False).splitlines()
    assert last == f"it may be the emulator's: boot it on an {CPUS[OTHER]} machine to be sure"


def test_this_machine_is_one_of_lambdas() -> None:
    assert this_cpu() == CPUS[HOST]
    assert set(ARCHITECTURES.values()) == set(CPUS)


def test_an_index_is_refused_as_lambda_does(boot: BootIt, tmp_path: Path) -> None:
    image = small(tmp_path)
    index = write_index(tmp_path, image, write_attestation(image))

    found = boot(index)

    assert failure(found) == ("InvalidParameterValueException", "create or update")
    assert found.failure
    assert "image manifest, config or layer media type for the source" in found.failure.message


def test_an_image_that_is_not_there_or_not_whole(boot: BootIt, tmp_path: Path) -> None:
    image = small(tmp_path)
    nowhere = f"{image.reference}@sha256:{'0' * 64}"
    assert failure(boot(nowhere)) == ("InvalidParameterValueException", "create or update")

    broken = write_image(
        tmp_path / "b", [dataclasses.replace(BASE, diff_id="sha256:" + "1" * 64)], entrypoint=["/x"]
    )
    found = boot(broken)
    assert failure(found) == ("InvalidImage", "create or update")


def test_extensions_are_read_and_not_started(boot: BootIt, tmp_path: Path) -> None:
    extension = "opt/extensions/agent"
    good = small(tmp_path / "good", File(extension, PROGRAM, 0o755))
    bad = small(tmp_path / "bad", File(extension, PROGRAM, 0o644))

    assert failure(boot(bad)) == ("Extension.LaunchError", "init")
    (note,) = boot(good).notes
    assert "agent" in note
    assert "none was started" in note


@pytest.mark.proof
def test_images_of_registries_and_archives_are_copied_first(boot: BootIt, tmp_path: Path) -> None:
    image = small(tmp_path / "image")
    skopeo_copy(image.reference, f"docker-archive:{tmp_path}/docker.tar:rooms:1")
    skopeo_copy(image.reference, f"oci-archive:{tmp_path}/oci.tar:1")
    with running_registry(tmp_path / "registry") as host:
        skopeo_copy(image.reference, f"docker://{host}/rooms:1", "--preserve-digests")

        for name in (
            f"docker://{host}/rooms@{image.digest}",
            f"docker-archive:{tmp_path}/docker.tar",
            f"oci-archive:{tmp_path}/oci.tar",
        ):
            # It started: that the shell has no more to say, its first event shows.
            assert failure(boot(name)) == ("Runtime.ExitError", "create"), name


def test_the_sandbox_is_taken_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_engine(None) == "sandbox"
    assert choose_engine("sandbox") == "sandbox"

    monkeypatch.setattr("shutil.which", lambda name: "/bin/docker" if name == "docker" else None)
    assert choose_engine(None) == "docker"
    assert choose_engine("docker") == "docker"
    with pytest.raises(FailedError, match="umoci, bwrap are not installed") as missing:
        choose_engine("sandbox")
    assert str(missing.value.hint).startswith("apt-get install umoci bubblewrap")

    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(FailedError) as nothing:
        choose_engine(None)
    assert str(nothing.value.hint).startswith("apt-get install umoci bubblewrap")
    assert str(nothing.value.hint).endswith(", or install Docker")
    with pytest.raises(FailedError, match="docker is not installed"):
        choose_engine("docker")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a cdk.json; the image goes to build/image."""
    context: Mapping[str, Any] = json.loads(json.dumps(CDK_JSON["context"]))
    context["stages"]["local"]["architecture"] = CPUS[HOST]
    (tmp_path / "cdk.json").write_text(json.dumps({"context": context}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["release", "boot", *arguments])
    status = main()
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def record_of(digest: str) -> BuildRecord:
    return BuildRecord(
        digest=digest,
        architecture=CPUS[HOST],
        base_digest="sha256:" + "0" * 64,
        source_revision="0" * 40,
        dirty=False,
        built_at="2026-01-01T00:00:00Z",
    )


@pytest.mark.proof
def test_the_command_notes_what_has_passed(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image = rooms_image(checkout / "build/image")
    write_record(checkout, record_of(image.digest))

    status, out, err = run(monkeypatch, capsys, "local")

    assert status == 0, err
    lines = out.splitlines()
    assert lines[:2] == ["oci:build/image", f"  digest   {image.digest}"]
    assert lines[2].endswith(f", {CPUS[HOST]}, 256 MB, 20 s")
    assert [line[:9] for line in lines if line.startswith("✓")][:2] == ["✓ ready  ", "✓ create "]
    assert lines[-1] == "it starts, and passes the contract test; recorded for `push` and `pin`"
    assert "unpacking, and starting DynamoDB Local: " in err
    assert [*passed_gates(checkout, image.digest, CPUS[HOST])] == ["boot"]


@pytest.mark.proof
def test_the_command_notes_nothing_of_what_fails(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image = small(
        checkout / "build/image",
        entrypoint=["/bin/sh", "-c", "printf '\\033[31mno\\n'; exit 1"],
        cmd=None,
    )
    write_record(checkout, record_of(image.digest))

    status, out, _ = run(monkeypatch, capsys, "local")
    json_status, json_out, _ = run(monkeypatch, capsys, "local", "--json")

    assert (status, json_status) == (1, 1)
    assert passed_gates(checkout, image.digest, CPUS[HOST]) == {}
    *_, shown, _, verdict, todo = out.splitlines()
    assert "✗ init: Runtime.ExitError" in out
    assert shown == "    \\x1b[31mno"
    assert verdict == "do not deploy this image"
    assert todo.endswith("python -m release check oci:build/image --stage local")
    found = parse_output(json_out)
    assert list(found) == [
        *("version", "command", "ok", "image", "digest", "architecture", "where"),
        *("emulatedBy", "readyMilliseconds", "steps", "failure", "output", "notes", "recorded"),
    ]
    assert (found["ok"], found["emulatedBy"]) == (False, None)
    assert found["failure"] == {
        "errorType": "Runtime.ExitError",
        "message": "Runtime exited with error: exit status 1",
        "at": "init",
    }
    assert (found["output"], found["recorded"]) == (["\x1b[31mno"], False)


@pytest.mark.usefixtures("checkout")
def test_the_command_says_when_nothing_was_built(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, capsys, "local") == (
        2,
        "",
        "error: no image has been built here\nhint: python -m release build local\n",
    )
    status, out, err = run(monkeypatch, capsys, "nowhere")
    assert (status, out) == (2, "")
    assert "there is no stage 'nowhere'" in err


def test_ctrl_c_leaves_nothing_behind(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    image = small(checkout / "build/image")
    write_record(checkout, record_of(image.digest))

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lambda_runtime.runtime_api.RuntimeApi.wait_until_ready", interrupted)
    folders: set[Path] = set(Path(tempfile.gettempdir()).glob("boot-*"))

    status, out, err = run(monkeypatch, capsys, "local")

    assert (status, out) == (2, "")
    assert err.endswith("error: interrupted; nothing was changed\n")
    assert set(Path(tempfile.gettempdir()).glob("boot-*")) <= folders
    assert passed_gates(checkout, image.digest, CPUS[HOST]) == {}
