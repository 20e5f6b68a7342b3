"""The system as a whole where it does not come up. Where it does: tests/e2e."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from imagecheck import __version__
from local import system
from local.__main__ import main
from local.deploy import CdkCli, DeployError
from local.emulated_aws.server import emulated_aws
from local.folder_lock import locked
from local.gateway import reserve_port
from local.image import BuildImageError
from local.system import SOURCE, FunctionDoesNotStartError, running_system
from tests.support.processes import child_processes, processes_that_know

PROJECT = Path(__file__).parent.parent.parent


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of the function's folder that a test may change."""
    copy = tmp_path / "lambda_src"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def _start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """``python -m local`` as in the project's folder, but with its ``.local`` in another."""
    return subprocess.Popen(
        [sys.executable, "-m", "local", *arguments],
        cwd=folder,
        # Whatever it starts inherits the name of the folder.
        env=os.environ | {"PYTHONPATH": str(PROJECT), "STARTED_IN": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.proof
def test_a_handler_that_cannot_be_imported_ends_the_start_with_its_error(
    source: Path, tmp_path: Path
) -> None:
    main = source / "rooms" / "main.py"
    main.write_text("import nowhere\n" + main.read_text().replace("from __future__", "# "))
    before = child_processes()
    with (
        pytest.raises(FunctionDoesNotStartError, match="No module named 'nowhere'") as failure,
        running_system(port=0, source=source, work_folder=tmp_path / "work"),
    ):
        pass
    assert "\nRuntime.ImportModuleError: " in str(failure.value)
    assert "function.log" in str(failure.value.hint)
    assert child_processes() <= before


def test_a_busy_port_ends_at_once_with_one_message(tmp_path: Path) -> None:
    with reserve_port(0) as taken:
        port = taken.getsockname()[1]
        process = _start(tmp_path, "--port", str(port))
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "cdk" not in output
    assert errors == (
        f"error: port {port} is not free: Address already in use\n"
        f"hint: take another: make run PORT={port + 1}\n"
    )


@pytest.mark.proof
def test_a_second_system_in_the_same_folder_ends_at_once_with_one_message(tmp_path: Path) -> None:
    folder = tmp_path / ".local"
    folder.mkdir()
    with locked(folder):
        process = _start(tmp_path, "--port", "0")
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert "cdk" not in output
    said, hint = errors.splitlines()
    assert said.startswith("error: another system runs in ")
    assert hint.startswith("hint: end that one first")


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGINT, "image built"),  # The emulator is imported beside the synth now.
        (signal.SIGINT, "emulated AWS"),  # DynamoDB Local starts, and the account is bootstrapped.
        pytest.param(signal.SIGTERM, "emulated AWS", marks=pytest.mark.proof),
        pytest.param(signal.SIGINT, "cdk bootstrap", marks=pytest.mark.proof),
    ],
)
def test_a_signal_during_the_start_ends_everything_without_a_trace(
    number: signal.Signals, moment: str, tmp_path: Path
) -> None:
    process = _start(tmp_path, "--port", "0")
    assert process.stdout is not None
    for line in process.stdout:
        if moment in line:
            break
    os.killpg(process.pid, number)  # As a terminal does: the whole group gets it.
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert output.endswith("Ended.\n")
    assert not processes_that_know(str(tmp_path))


@pytest.mark.proof
def test_a_failed_synth_ends_the_start_and_all_that_runs_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "app.py").write_text("raise SystemExit('error: no such stage')")
    (app / "cdk.json").write_text(json.dumps({"app": f"{sys.executable} app.py"}))
    monkeypatch.setattr(system, "CdkCli", partial(CdkCli, app_folder=app))
    before = child_processes()
    with (
        pytest.raises(DeployError, match="error: no such stage"),
        running_system(port=0, work_folder=tmp_path / "work"),
    ):
        pass
    assert child_processes() <= before
    assert not processes_that_know(str(tmp_path))


@pytest.mark.proof
def test_an_image_that_cannot_be_pushed_ends_the_start_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise BuildImageError("the registry returned another digest")

    monkeypatch.setattr(system, "push_image", refuse)
    before = child_processes()
    with (
        pytest.raises(BuildImageError, match="another digest"),
        running_system(port=0, work_folder=tmp_path / "work"),
    ):
        pass
    assert child_processes() <= before


@pytest.mark.proof
def test_the_first_line_waits_for_no_emulator() -> None:
    """Its import takes a second, which is a step of its own."""
    code = "import sys, local.__main__; sys.exit(bool({'moto', 'boto3'} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)


@pytest.mark.proof
def test_the_emulator_is_imported_without_the_machines_of_ec2() -> None:
    code = (
        "import local.system, sys; local.system._load_emulator();"
        "sys.exit(len(sys.modules['moto.ec2.models.instance_types'].INSTANCE_TYPES))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)


@pytest.mark.proof
@pytest.mark.parametrize("host", ["203.0.113.9", "no-such-host.invalid"])
def test_a_host_that_is_not_this_machines_ends_at_once_with_one_message(
    host: str, tmp_path: Path
) -> None:
    process = _start(tmp_path, "--port", "0", "--host", host)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "cdk" not in output
    assert errors == (
        f"error: {host} is not an IPv4 address of this machine\n"
        "hint: for all that it has: make run HOST=0.0.0.0\n"
    )


def test_it_says_its_version(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["local", "--version"])
    assert main() == 0
    assert capsys.readouterr().out == f"python -m local {__version__}\n"


@pytest.mark.proof
def test_the_cdk_library_stays_out_of_this_process() -> None:
    """It would start Node, which answers a Ctrl-C with a stack trace of its own."""
    code = "import sys, local.__main__; sys.exit('jsii' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True)


@pytest.mark.proof
def test_help_says_what_happens_and_where_the_logs_are(tmp_path: Path) -> None:
    output, _ = _start(tmp_path, "--help").communicate(timeout=30)
    assert "emulated AWS" in output
    assert ".local/" in output


def test_the_emulated_account_is_empty_each_time_and_gone_afterwards() -> None:
    with emulated_aws() as endpoint_url:
        port = int(endpoint_url.rpartition(":")[2])
        assert endpoint_url.startswith("http://localhost:")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
