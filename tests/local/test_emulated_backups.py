"""Backups of tables in the emulated account."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.emulated_aws.server import CREDENTIALS, REGION, emulated_account
from tests.support.local.emulated_functions import deploy
from tests.support.templates import only, rooms_template

pytestmark = pytest.mark.proof

KEYS: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "roomId", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "roomId", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}
ON = {"PointInTimeRecoveryEnabled": True}


@pytest.fixture(scope="module")
def account() -> Iterator[Any]:
    """Return clients of an account."""
    session: Any = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    with emulated_account() as account:
        yield partial(session.client, endpoint_url=account.endpoint_url)


@pytest.fixture
def dynamodb(account: Any) -> Iterator[Any]:
    """A client, and a table `rooms` whose recovery is on."""
    client = account("dynamodb")
    client.create_table(TableName="rooms", **KEYS)
    client.put_item(TableName="rooms", Item=item("before"))
    client.update_continuous_backups(TableName="rooms", PointInTimeRecoverySpecification=ON)
    yield client
    for name in client.list_tables()["TableNames"]:
        client.delete_table(TableName=name)


def item(code: str, value: str = "1") -> dict[str, Any]:
    return {"roomId": {"S": code}, "value": {"N": value}}


def items(client: Any, table: str) -> list[Any]:
    return sorted(client.scan(TableName=table)["Items"], key=lambda one: one["roomId"]["S"])


def a_second_later() -> datetime:
    """Return the second that is now, once it is over."""
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.02)
    return datetime.fromtimestamp(now, UTC)


def restore(client: Any, target: str = "restored", **when: Any) -> Any:
    return client.restore_table_to_point_in_time(
        SourceTableName="rooms", TargetTableName=target, **when
    )


def test_a_restore_has_the_items_of_its_time(dynamodb: Any) -> None:
    dynamodb.put_item(TableName="rooms", Item=item("gone"))
    moment = a_second_later()
    key = {"roomId": {"S": "before"}}
    dynamodb.update_item(
        TableName="rooms",
        Key=key,
        UpdateExpression="SET #v = :v",
        ExpressionAttributeNames={"#v": "value"},
        ExpressionAttributeValues={":v": {"N": "2"}},
    )
    dynamodb.delete_item(TableName="rooms", Key={"roomId": {"S": "gone"}})
    dynamodb.put_item(TableName="rooms", Item=item("later"))

    restore(dynamodb, RestoreDateTime=moment)

    assert items(dynamodb, "restored") == [item("before"), item("gone")]
    restore(dynamodb, "latest", UseLatestRestorableTime=True)
    assert items(dynamodb, "latest") == items(dynamodb, "rooms")
    assert items(dynamodb, "rooms") == [item("before", "2"), item("later")]


def test_writes_of_several_items_are_noted_too(dynamodb: Any) -> None:
    moment = a_second_later()
    dynamodb.batch_write_item(
        RequestItems={
            "rooms": [
                {"DeleteRequest": {"Key": {"roomId": {"S": "before"}}}},
                {"PutRequest": {"Item": item("batch")}},
            ]
        }
    )
    dynamodb.transact_write_items(
        TransactItems=[{"Put": {"TableName": "rooms", "Item": item("transaction")}}]
    )
    restore(dynamodb, RestoreDateTime=moment)
    assert items(dynamodb, "restored") == [item("before")]
    restore(dynamodb, "latest", UseLatestRestorableTime=True)
    assert items(dynamodb, "latest") == [item("batch"), item("transaction")]


def test_a_write_that_is_refused_changes_nothing_of_it(dynamodb: Any) -> None:
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        dynamodb.put_item(
            TableName="rooms",
            Item=item("before", "2"),
            ConditionExpression="attribute_not_exists(roomId)",
        )
    restore(dynamodb, UseLatestRestorableTime=True)
    assert items(dynamodb, "restored") == [item("before")]


def test_a_restored_table_lacks_what_aws_does_not_restore(dynamodb: Any) -> None:
    dynamodb.update_time_to_live(
        TableName="rooms",
        TimeToLiveSpecification={"AttributeName": "expiresAt", "Enabled": True},
    )
    dynamodb.update_table(TableName="rooms", DeletionProtectionEnabled=True)
    summary = restore(dynamodb, UseLatestRestorableTime=True)["TableDescription"]["RestoreSummary"]
    dynamodb.update_table(TableName="rooms", DeletionProtectionEnabled=False)

    assert summary["SourceTableArn"].endswith(":123456789012:table/rooms")
    dynamodb.get_waiter("table_exists").wait(TableName="restored")
    table = dynamodb.describe_table(TableName="restored")["Table"]
    assert table["KeySchema"] == KEYS["KeySchema"]
    assert not table["DeletionProtectionEnabled"]
    expiry = dynamodb.describe_time_to_live(TableName="restored")["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "DISABLED"}
    assert recovery(dynamodb, "restored")["PointInTimeRecoveryStatus"] == "DISABLED"


def recovery(client: Any, table: str) -> dict[str, Any]:
    found = client.describe_continuous_backups(TableName=table)
    described: dict[str, Any] = found["ContinuousBackupsDescription"][
        "PointInTimeRecoveryDescription"
    ]
    return described


def test_what_can_be_restored_is_told_and_nothing_else_is_restored(dynamodb: Any) -> None:
    found = recovery(dynamodb, "rooms")
    assert found["PointInTimeRecoveryStatus"] == "ENABLED"
    assert found["EarliestRestorableDateTime"] <= found["LatestRestorableDateTime"]
    for moment in (datetime(2026, 1, 1, tzinfo=UTC), datetime(2126, 1, 1, tzinfo=UTC)):
        with pytest.raises(ClientError, match="InvalidRestoreTimeException"):
            restore(dynamodb, RestoreDateTime=moment)
    with pytest.raises(ClientError, match="TableAlreadyExistsException"):
        restore(dynamodb, "rooms", UseLatestRestorableTime=True)
    dynamodb.update_continuous_backups(
        TableName="rooms", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False}
    )
    with pytest.raises(ClientError, match="PointInTimeRecoveryUnavailableException"):
        restore(dynamodb, UseLatestRestorableTime=True)
    with pytest.raises(ClientError, match="TableNotFoundException"):
        dynamodb.describe_continuous_backups(TableName="nobody")


def test_turned_off_and_on_again_it_begins_anew(dynamodb: Any) -> None:
    moment = a_second_later()
    off = {"PointInTimeRecoveryEnabled": False}
    for switch in (off, ON):
        dynamodb.update_continuous_backups(
            TableName="rooms", PointInTimeRecoverySpecification=switch
        )
    with pytest.raises(ClientError, match="InvalidRestoreTimeException"):
        restore(dynamodb, RestoreDateTime=moment)


def test_a_table_that_was_deleted_can_be_restored_under_its_name(dynamodb: Any) -> None:
    dynamodb.delete_table(TableName="rooms")
    assert dynamodb.list_backups(TableName="rooms")["BackupSummaries"] == []
    found = dynamodb.list_backups(TableName="rooms", BackupType="SYSTEM")["BackupSummaries"]
    assert [one["BackupName"] for one in found][-1] == "rooms$DeletedTableBackup"
    dynamodb.restore_table_from_backup(TargetTableName="rooms", BackupArn=found[-1]["BackupArn"])
    assert items(dynamodb, "rooms") == [item("before")]
    with pytest.raises(ClientError, match="BackupNotFoundException"):
        dynamodb.restore_table_from_backup(
            TargetTableName="other", BackupArn=found[-1]["BackupArn"] + "0"
        )


def test_a_table_without_recovery_leaves_no_backup(account: Any) -> None:
    client = account("dynamodb")
    client.create_table(TableName="plain", **KEYS)
    client.delete_table(TableName="plain")
    assert client.list_backups(TableName="plain", BackupType="SYSTEM")["BackupSummaries"] == []


def test_a_template_turns_it_on_and_off(account: Any) -> None:
    ours = only(rooms_template(), "AWS::DynamoDB::Table")
    client = account("dynamodb")
    for enabled in (False, True, "false"):
        specification = {
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": enabled}
        }
        table = {"Type": "AWS::DynamoDB::Table", "Properties": {**ours, **specification}}
        deploy(account, {"Table": table})
        told = recovery(client, ours["TableName"])["PointInTimeRecoveryStatus"]
        assert told == ("ENABLED" if enabled is True else "DISABLED")
    account("cloudformation").delete_stack(StackName="rooms")
