"""Stages in one account: who deploys the second one, or promotes to it, is told what that means."""

import json
from typing import Any

import pytest

from config.project import project_here
from release.shared_account import stages_beside, warn_if_shared
from tests.support.release.commanding import Run
from tests.support.release.deployed_stage import DeployedStage

EMPTY = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


def registry_of(stage: str, region: str = "ap-northeast-1") -> None:
    """Deploy the registry of another stage into the same account."""
    client = project_here().stage(stage).client("cloudformation")
    assert client.meta.region_name == region
    client.create_stack(StackName=f"hima-five-bomber-{stage}-registry", TemplateBody=EMPTY)


def beside() -> list[str]:
    project = project_here()
    return [stage.name for stage in stages_beside(project, project.stage("dev"))]


@pytest.mark.proof
@pytest.mark.usefixtures("dev")
def test_those_whose_registry_is_there_are_beside_it() -> None:
    assert beside() == []
    registry_of("prd")
    assert beside() == ["prd"]


def test_a_stage_of_another_region_is_in_the_account_too(dev: DeployedStage) -> None:
    path = dev.project.root / "cdk.json"
    cdk_json: Any = json.loads(path.read_text())
    cdk_json["context"]["stages"]["prd"]["region"] = "eu-west-1"
    path.write_text(json.dumps(cdk_json))
    registry_of("prd", "eu-west-1")
    assert beside() == ["prd"]


@pytest.mark.usefixtures("dev")
def test_the_emulated_stage_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    registry_of("local")
    assert beside() == []
    project = project_here()
    warn_if_shared(project.stage("dev"), [project.stage("local")])
    warn_if_shared(project.stage("local"), [project.stage("dev")])
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("dev")
def test_who_may_not_look_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the role of a job, which sees its own stage alone."""
    registry_of("prd")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert beside() == []


def test_a_first_deployment_beside_another_stage_is_warned(dev: DeployedStage, run: Run) -> None:
    registry_of("prd")
    dev.pin(dev.push())

    _, _, err = run("deploy", "dev", "--emergency")

    (warning,) = [line for line in err.splitlines() if line.startswith("warning: ")]
    assert warning.startswith("warning: prd and dev are in one account (123456789012). They share")
    assert "docs/runbook.md, One account or two" in warning


@pytest.mark.proof
def test_a_first_deployment_alone_and_a_second_one_are_not(dev: DeployedStage, run: Run) -> None:
    dev.pin(dev.push())
    _, _, err = run("deploy", "dev", "--emergency")
    assert "in one account" not in err

    registry_of("prd")
    dev.release(dev.new)
    _, _, err = run("deploy", "dev", "--emergency")
    assert "in one account" not in err
