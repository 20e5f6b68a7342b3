"""The choice of a CPU, where this machine has another one than the functions."""

import json
from pathlib import Path

import pytest

import release.ship.architecture
from imagecheck.errors import FailedError
from imagecheck.function import Architecture
from release.errors import RefusedError
from release.ship.architecture import require_cpu, set_architecture
from tests.support.cdk_context import ROOT
from tests.support.release.checkout import Checkout, checkout, git


@pytest.fixture
def project(tmp_path: Path) -> Checkout:
    found = checkout(tmp_path / "checkout", dev={"architecture": "arm64"})
    # The form of the real one has to stay.
    (found.root / "cdk.json").write_text((ROOT / "cdk.json").read_text())
    found.commit_all()
    return found


@pytest.fixture(autouse=True)
def on_x86_64_without_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release.ship.architecture, "this_cpu", lambda: "x86_64")
    monkeypatch.setattr(release.ship.architecture, "can_emulate", lambda _: False)
    monkeypatch.setattr(release.ship.architecture, "choose_engine", lambda _: "sandbox")


def test_each_way_is_named_with_what_it_costs(project: Checkout) -> None:
    with pytest.raises(RefusedError) as error:
        require_cpu([project.stage("dev")], ask=False)

    assert str(error.value).startswith(
        "the functions of dev are arm64 (cdk.json), and this machine"
    )
    own, qemu, remote = (error.value.hint or "").splitlines()
    assert own.startswith("make them x86_64 (Lambda's price of a GB-second is a quarter higher")
    assert own.endswith("python -m release ship dev --architecture x86_64")
    assert "several times as long" in qemu
    assert "tonistiigi/binfmt --install arm64" in qemu
    assert "the pre-traffic hook is the gate that remains" in remote
    assert remote.endswith("ssh://USER@HOST, then python -m release ship dev --skip-boot")


@pytest.mark.parametrize("says_yes", [True, False])
def test_a_person_may_choose_this_machines_cpu(
    project: Checkout, monkeypatch: pytest.MonkeyPatch, says_yes: bool
) -> None:
    questions = []

    def confirm(question: str, **_: object) -> bool:
        questions.append(question)
        return says_yes

    monkeypatch.setattr("typer.confirm", confirm)
    stages = [project.stage("dev"), project.stage("prd")]
    if says_yes:
        assert require_cpu(stages, ask=True) == "x86_64"
    else:
        with pytest.raises(RefusedError, match="functions of dev stay arm64; nothing was changed"):
            require_cpu(stages, ask=True)
    assert questions == ["Make the functions of dev prd x86_64?"]


@pytest.mark.parametrize("means", ["the same CPU", "an emulator", "Docker's machine"])
def test_what_runs_here_is_no_choice(
    project: Checkout, monkeypatch: pytest.MonkeyPatch, means: str
) -> None:
    module = release.ship.architecture
    if means == "the same CPU":
        monkeypatch.setattr(module, "this_cpu", lambda: "arm64")
    elif means == "an emulator":
        monkeypatch.setattr(module, "can_emulate", lambda cpu: cpu == "arm64")
    else:
        monkeypatch.setattr(module, "choose_engine", lambda _: "docker")
        monkeypatch.setattr(module, "is_docker_on_this_machine", lambda: False)
    assert require_cpu([project.stage("dev")], ask=True) is None


def test_a_machine_that_lambda_has_not_gets_no_functions_of_its_own(
    project: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release.ship.architecture, "this_cpu", lambda: None)
    with pytest.raises(RefusedError) as error:
        require_cpu([project.stage("dev")], ask=True)
    assert "--architecture" not in (error.value.hint or "")


def test_the_setting_is_committed_and_the_rest_of_the_file_stays(project: Checkout) -> None:
    before = (project.root / "cdk.json").read_text()

    assert set_architecture(project.project, [project.stage("dev")], "x86_64")

    after = (project.root / "cdk.json").read_text()
    changed = zip(before.splitlines(), after.splitlines(), strict=True)
    assert [new.strip() for old, new in changed if old != new] == ['"architecture": "x86_64",']
    stages = json.loads(after)["context"]["stages"]
    assert {name: one["architecture"] for name, one in stages.items()} == {
        "local": "arm64",
        "dev": "x86_64",
        "prd": "arm64",
    }
    assert git(project.root, "log", "-1", "--format=%s") == "The functions of dev are x86_64\n"
    assert git(project.root, "status", "--porcelain") == ""


def test_a_setting_that_cannot_be_committed_is_put_back(project: Checkout) -> None:
    hook = project.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)

    with pytest.raises(FailedError, match=r"git cannot commit cdk\.json"):
        set_architecture(project.project, [project.stage("dev")], "x86_64")

    assert git(project.root, "status", "--porcelain") == ""


@pytest.mark.parametrize("architecture", ["arm64"])
def test_a_setting_that_is_right_is_not_written(
    project: Checkout, architecture: Architecture
) -> None:
    head = project.commit
    assert not set_architecture(project.project, [project.stage("dev")], architecture)
    assert project.commit == head
