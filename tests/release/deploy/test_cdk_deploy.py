"""The CDK CLI: its arguments, its output, its questions, and its end."""

import copy
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from config.project import Project
from imagecheck.errors import FailedError
from release.cloud_assembly import CloudAssembly
from release.deploy.cdk_deploy import CdkFailedError, cdk_deploy, cdk_deploy_page
from release.errors import RefusedError
from tests.support.cdk_context import CDK_JSON, ROOT

STACKS = ["hima-five-bomber-dev-registry", "hima-five-bomber-dev-rooms"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, copy.deepcopy(CDK_JSON["context"]))


def cli(project: Project, script: str) -> None:
    """Put a CDK CLI into the project: a shell script."""
    path = project.root / "node_modules/.bin/cdk"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def deploy(project: Project) -> None:
    assembly = CloudAssembly(project.root / "assembly")
    cdk_deploy(project, project.stage("dev"), assembly, ask=False)


def test_what_is_there_is_imported_where_that_is_asked_for(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    cli(project, 'for a in "$@"; do echo "$a"; done')
    assembly = CloudAssembly(project.root / "assembly")
    cdk_deploy(project, project.stage("dev"), assembly, import_existing=True, ask=False)
    assert "--import-existing-resources" in capfd.readouterr().err.splitlines()
    deploy(project)
    assert "--import-existing-resources" not in capfd.readouterr().err


def test_how_it_is_called(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    cli(project, 'pwd -P; command -v python3; for a in "$@"; do echo "$a"; done; cat; echo end >&2')

    deploy(project)

    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == [
        str(project.root.resolve()),
        str(Path(sys.executable).parent / "python3"),
        "--no-color",
        "--no-notices",
        "--no-version-reporting",
        "deploy",
        *STACKS,
        "--require-approval=never",
        "--progress=events",
        f"--app={project.root}/assembly",
        "end",
    ]


def test_it_goes_to_the_region_of_the_stage(
    project: Project, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not to that of the shell, which the CLI would take: the assembly names none."""
    project.context["stages"]["dev"] = {**project.context["stages"]["dev"], "region": "eu-west-1"}
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    cli(project, 'echo "to $AWS_REGION"')

    deploy(project)

    assert "to eu-west-1\n" in capfd.readouterr().err


def test_the_page_is_deployed_alone(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    cli(project, 'for a in "$@"; do echo "$a"; done')

    assembly = CloudAssembly(project.root / "assembly")
    cdk_deploy_page(project, project.stage("dev"), assembly, ask=False)

    assert capfd.readouterr().err.splitlines()[3:] == [
        "deploy",
        "hima-five-bomber-dev-web",
        "--exclusively",
        "--require-approval=never",
        "--progress=events",
        f"--app={project.root}/assembly",
    ]


def test_a_guard_is_deployed_before_the_page_that_names_it(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    cli(project, 'for a in "$@"; do echo "$a"; done')

    cdk_deploy_page(
        project, project.stage("prd"), CloudAssembly(project.root / "assembly"), ask=False
    )

    assert capfd.readouterr().err.splitlines()[3:7] == [
        "deploy",
        "hima-five-bomber-prd-guard",
        "hima-five-bomber-prd-web",
        "--exclusively",
    ]


def test_the_end_of_what_it_said_is_in_the_error(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    cli(project, "for n in $(seq 40); do echo line $n; echo; done; printf half; exit 7")

    with pytest.raises(CdkFailedError) as raised:
        deploy(project)

    lines = [line.strip() for line in str(raised.value).splitlines()]
    assert lines == [f"line {n}" for n in range(27, 41)] + ["half"]
    assert "line 1\n" in capfd.readouterr().err


def test_one_that_says_nothing(project: Project) -> None:
    cli(project, "exit 3")

    with pytest.raises(CdkFailedError, match="it ended with status 3"):
        deploy(project)


def test_one_that_is_declined(project: Project) -> None:
    """The words are those of the installed CLI."""
    cli(project, 'echo "Deployment cancelled" >&2; exit 1')

    with pytest.raises(RefusedError, match="the change was declined: nothing was deployed"):
        deploy(project)
    installed = (ROOT / "node_modules/aws-cdk/lib/index.js").read_text(encoding="utf-8")
    assert '"DeployAborted", "Deployment cancelled"' in " ".join(installed.split())


def test_one_that_is_not_there(project: Project) -> None:
    with pytest.raises(FailedError, match="cdk is missing"):
        deploy(project)


def test_who_does_not_read_on_does_not_end_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the terminal is closed, or `2>&1 | head` has seen enough."""
    cli(project, f"echo one; echo two; touch {project.root}/done")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as nobody:
        monkeypatch.setattr(sys, "stderr", nobody)

        deploy(project)

        monkeypatch.undo()
        os.dup2(os.open(os.devnull, os.O_WRONLY), nobody.fileno())
    assert (project.root / "done").exists()


ASKING = """
import sys
from pathlib import Path
from release.cloud_assembly import CloudAssembly
from release.deploy.cdk_deploy import cdk_deploy
from config.project import project_here

project = project_here()
stage = project.stage("dev")
cdk_deploy(project, stage, CloudAssembly(project.root), ask=True)
print("deployed", flush=True)
"""


@pytest.mark.proof
def test_it_asks_on_the_terminal(project: Project) -> None:
    """A question has no line end, and is answered by who sits there."""
    (project.root / "cdk.json").write_text((ROOT / "cdk.json").read_text())
    cli(
        project,
        'test -t 0 && test -t 1 && echo "$*" && stty size <&1'
        ' && printf "Do you wish to deploy these changes (y/n)? " && read answer'
        ' && test "$answer" = y',
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", ASKING],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = read_until(ours, b"(y/n)? ")
    os.write(ours, b"y\n")
    seen += read_until(ours, b"deployed")

    assert process.wait() == 0
    os.close(ours)
    assert b"--require-approval=broadening" in seen


def read_until(terminal: int, text: bytes) -> bytes:
    seen = b""
    while text not in seen:
        seen += os.read(terminal, 4096)
    return seen


@pytest.mark.parametrize("stubborn", [False, True])
def test_interrupted_it_ends_with_its_children(
    project: Project, monkeypatch: pytest.MonkeyPatch, stubborn: bool
) -> None:
    monkeypatch.setattr("config.cdk_cli._GRACE_SECONDS", 0.2)
    started, parent = project.root / "started", os.getpid()
    trap = 'trap "" TERM' if stubborn else ":"
    cli(
        project,
        f"{trap}; sleep 600 & echo $$ $! > {started}; kill -INT {parent}; while :; do wait; done",
    )

    with pytest.raises(KeyboardInterrupt):
        deploy(project)

    for process in map(int, started.read_text().split()):
        while is_running(process):
            time.sleep(0.01)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_interrupted_in_the_moment_in_which_it_starts(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    class Interrupted(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("config.cdk_cli.subprocess.Popen", Interrupted)
    cli(project, "sleep 600")

    with pytest.raises(KeyboardInterrupt):
        deploy(project)

    assert started[0].returncode == -signal.SIGTERM


def is_running(process: int) -> bool:
    """Whether it is there, and more than what its parent has not asked about."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in {"Z", "X"}
