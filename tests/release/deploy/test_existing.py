"""What is there already: refused, or taken over, and then as the template says."""

import json
from typing import Any

import pytest

from imagecheck.errors import FailedError
from release.deploy import existing
from tests.support.release.commanding import Run
from tests.support.release.deployed_stage import DeployedStage

TABLE = "hima-five-bomber-dev-rooms"
RESTORED = f"{TABLE}-restored"
IMPORT = "--import-existing-resources"
TAKE_OVER = f"hint: take over what is in it: python -m release deploy dev {IMPORT}"


@pytest.fixture
def kept(dev: DeployedStage) -> DeployedStage:
    """The stage, which keeps its data, with an image that is pinned."""
    dev.settings(retainData=True)
    dev.pin(dev.push())
    return dev


def deploy(run: Run, *options: str) -> tuple[int, list[str]]:
    options = options or ("--emergency",)
    status, _, err = run("deploy", "dev", "--skip-smoke", *options)
    return status, err.splitlines()


def declared(dev: DeployedStage, table: str, **properties: Any) -> list[str]:
    """Let the synth leave a template with this table, and return the options for it."""
    folder = dev.project.root / "build/assembly"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    release = {"packaging": "image", "pin": json.loads(dev.project.lock.read_text())["dev"]}
    resources = {
        "Release": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {
                "Name": dev.stage.names.release_parameter,
                "Value": json.dumps(release),
            },
        },
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {"TableName": table, **properties},
        },
    }
    (folder / f"{dev.stage.names.rooms_stack}.template.json").write_text(
        json.dumps({"Resources": resources})
    )
    return ["--assembly=build/assembly", "--skip-boot", IMPORT]


ALL_ON: dict[str, Any] = {
    "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": True},
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    "DeletionProtectionEnabled": True,
}


# --- without the option ---------------------------------------------------------------------------


def test_a_table_that_a_deleted_stack_has_left_is_named_before_anything_is_done(
    kept: DeployedStage, run: Run
) -> None:
    kept.make_table(TABLE)
    status, err = deploy(run)
    assert status == 1
    assert err[-2:] == [
        f"error: the table {TABLE} is there already, and in no stack of dev",
        TAKE_OVER,
    ]
    assert kept.called == []


@pytest.mark.proof
def test_table_and_repository_are_named_together(kept: DeployedStage, run: Run) -> None:
    kept.make_table(TABLE)
    kept.destroy(kept.stage.names.registry_stack)
    status, err = deploy(run)
    assert status == 1
    assert err[-2] == (
        f"error: the table {TABLE} and the repository {TABLE} are there already, and in no stack"
        " of dev"
    )


@pytest.mark.proof
def test_a_restored_table_is_named_too(kept: DeployedStage, run: Run) -> None:
    kept.release(kept.new)
    kept.make_table(TABLE)
    kept.make_table(RESTORED)
    kept.settings(table=RESTORED)
    status, err = deploy(run)
    assert status == 1
    assert err[-2] == f"error: the table {RESTORED} is there already, and in no stack of dev"


@pytest.mark.proof
def test_where_data_is_not_kept_it_cannot_be_imported_and_has_to_go(
    dev: DeployedStage, run: Run
) -> None:
    dev.pin(dev.push())
    dev.make_table(TABLE)
    status, err = deploy(run)
    assert status == 1
    assert err[-1] == (
        "hint: if nobody needs what is in it: aws dynamodb delete-table --region ap-northeast-1"
        f" --table-name {TABLE}"
    )


@pytest.mark.proof
def test_the_stacks_own_table_is_in_nobodys_way(kept: DeployedStage, run: Run) -> None:
    kept.release(kept.new)
    kept.make_table(TABLE)
    status, _ = deploy(run)
    assert (status, len(kept.called)) == (0, 1)


@pytest.mark.proof
def test_who_may_not_ask_is_not_stopped(
    kept: DeployedStage, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the role of a pipeline's job, whose table had another name when it was made."""

    def denied(*_: Any, **__: Any) -> Any:
        raise FailedError("AccessDenied")

    kept.make_table(TABLE)
    monkeypatch.setattr(existing, "aws_errors", denied)
    deploy(run)
    assert len(kept.called) == 1


# --- with it --------------------------------------------------------------------------------------


def test_with_the_option_the_cdk_cli_imports(kept: DeployedStage, run: Run) -> None:
    kept.make_table(TABLE)
    deploy(run, *declared(kept, TABLE))
    assert IMPORT in kept.called[0]


@pytest.mark.proof
def test_what_a_restored_table_lacks_is_told_with_its_commands(
    kept: DeployedStage, run: Run
) -> None:
    kept.release(kept.new)
    kept.make_table(RESTORED)
    kept.settings(table=RESTORED)
    status, err = deploy(run, *declared(kept, RESTORED, **ALL_ON))
    assert status == 1
    assert err[-4] == (
        f"error: the table {RESTORED} lacks the expiry of its rooms, point-in-time recovery,"
        " protection against deletion, and CloudFormation would import it as it is"
    )
    options = f"--region ap-northeast-1 --table-name {RESTORED}"
    assert err[-3:] == [
        f"hint: aws dynamodb update-time-to-live {options}"
        " --time-to-live-specification Enabled=true,AttributeName=expiresAt",
        f"hint: aws dynamodb update-continuous-backups {options}"
        " --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
        f"hint: aws dynamodb update-table {options} --deletion-protection-enabled",
    ]
    assert kept.called == []


@pytest.mark.proof
def test_one_that_lacks_nothing_is_deployed(kept: DeployedStage, run: Run) -> None:
    kept.release(kept.new)
    kept.make_table(RESTORED, DeletionProtectionEnabled=True)
    dynamodb = kept.client("dynamodb")
    dynamodb.update_time_to_live(
        TableName=RESTORED, TimeToLiveSpecification=ALL_ON["TimeToLiveSpecification"]
    )
    dynamodb.update_continuous_backups(
        TableName=RESTORED,
        PointInTimeRecoverySpecification=ALL_ON["PointInTimeRecoverySpecification"],
    )
    kept.settings(table=RESTORED)
    deploy(run, *declared(kept, RESTORED, **ALL_ON))
    assert len(kept.called) == 1


@pytest.mark.proof
def test_one_that_is_not_there_is_made_by_the_stack(kept: DeployedStage, run: Run) -> None:
    deploy(run, *declared(kept, TABLE, **ALL_ON))
    assert len(kept.called) == 1
