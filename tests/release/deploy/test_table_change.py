"""Rooms that a deployment would leave behind."""

import json

import pytest

from config.project import project_here
from release.deploy.table_change import left_by_a_rename
from tests.support.release.commanding import Run
from tests.support.release.deployed_stage import DeployedStage

TABLE = "hima-five-bomber-dev-rooms"
EMPTY = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


def warnings(run: Run) -> list[str]:
    _, _, err = run("deploy", "dev", "--emergency", "--skip-smoke")
    return [line for line in err.splitlines() if line.startswith("warning: ")]


def rooms_of(dev: DeployedStage, name: str) -> None:
    """Deploy a stage's rooms stack."""
    stack = f"hima-five-bomber-{name}-rooms"
    dev.client("cloudformation").create_stack(StackName=stack, TemplateBody=EMPTY)


def test_another_table_is_told_before_it_is_deployed(dev: DeployedStage, run: Run) -> None:
    dev.release(dev.push())
    dev.pin(dev.new)
    dev.settings(table="another")
    assert warnings(run) == [
        f"warning: the table of dev changes from {TABLE} to another: rooms that are live stay in"
        f" {TABLE}, which nobody reads then; docs/restore.md, Another table"
    ]
    assert len(dev.called) == 1


@pytest.mark.proof
def test_back_to_the_first_one_is_told_too(dev: DeployedStage, run: Run) -> None:
    dev.release(dev.push())
    dev.stack("COMPLETE", FunctionName=dev.stage.names.function, TableName="another")
    dev.pin(dev.new)
    (said,) = warnings(run)
    assert f"changes from another to {TABLE}: rooms that are live stay in another" in said


@pytest.mark.proof
def test_the_same_table_is_not(dev: DeployedStage, run: Run) -> None:
    dev.release(dev.push())
    dev.pin(dev.new)
    assert warnings(run) == []
    dev.stack("COMPLETE", FunctionName=dev.stage.names.function, TableName=TABLE)
    assert warnings(run) == []


@pytest.mark.proof
def test_a_stage_of_a_new_name_is_told_of_the_one_that_cdk_json_no_longer_has(
    dev: DeployedStage, run: Run
) -> None:
    rooms_of(dev, "test")
    rooms_of(dev, "prd")
    dev.pin(dev.push())
    (said,) = warnings(run)
    assert said.startswith(
        "warning: hima-five-bomber-test-rooms is deployed here, and cdk.json has no stage test. If"
        " that is dev now: its rooms stay in its own table (hima-five-bomber-test-rooms, "
    )


def test_one_that_was_deleted_is_not_told(dev: DeployedStage) -> None:
    rooms_of(dev, "test")
    dev.destroy("hima-five-bomber-test-rooms")
    project = project_here()
    assert list(left_by_a_rename(project, project.stage("dev"))) == []


def test_who_may_not_list_stacks_is_told_of_none(
    dev: DeployedStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms_of(dev, "test")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    project = project_here()
    assert list(left_by_a_rename(project, project.stage("dev"))) == []
