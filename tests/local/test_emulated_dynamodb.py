"""The account's tables are in DynamoDB Local, whoever makes them and whoever reads them."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.emulated_aws.server import CREDENTIALS, REGION, EmulatedAccount, emulated_account
from tests.local.conftest import Client
from tests.support.local.emulated_functions import (
    ROLE,
    Resources,
    RolledBackError,
    deploy,
    function,
    invoke,
)
from tests.support.processes import child_processes
from tests.support.templates import only, rooms_template

TABLE: Resources = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "TableName": "rooms",
        "KeySchema": [{"AttributeName": "roomId", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "roomId", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": True},
    },
}
ITEM = {"roomId": {"S": "BCD234"}}


@pytest.fixture(scope="module")
def account() -> Iterator[EmulatedAccount]:
    before = child_processes()
    with emulated_account() as account:
        yield account
    assert child_processes() <= before


@pytest.fixture
def aws(account: EmulatedAccount) -> Iterator[Client]:
    """The account, without the stack of the test before."""
    session: Any = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    aws = partial(session.client, endpoint_url=account.endpoint_url)
    yield aws
    for stack in aws("cloudformation").describe_stacks()["Stacks"]:
        aws("cloudformation").delete_stack(StackName=stack["StackName"])


def table_with(**properties: Any) -> Resources:
    return {"Table": {**TABLE, "Properties": {**TABLE["Properties"], **properties}}}


@pytest.mark.proof
def test_the_table_of_our_template_has_its_key_and_its_expiry(aws: Client) -> None:
    ours = only(rooms_template(), "AWS::DynamoDB::Table")
    deploy(aws, {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": ours}})
    found = aws("dynamodb").describe_table(TableName=ours["TableName"])["Table"]
    assert found["KeySchema"] == ours["KeySchema"]
    assert found["AttributeDefinitions"] == ours["AttributeDefinitions"]
    assert found["BillingModeSummary"]["BillingMode"] == ours["BillingMode"]
    expiry = aws("dynamodb").describe_time_to_live(TableName=ours["TableName"])
    assert expiry["TimeToLiveDescription"] == {
        "AttributeName": ours["TimeToLiveSpecification"]["AttributeName"],
        "TimeToLiveStatus": "ENABLED",
    }


@pytest.mark.proof
def test_a_function_and_every_client_reach_the_same_table(
    aws: Client, account: EmulatedAccount
) -> None:
    code = """
        import boto3

        def handler(event, context):
            return boto3.client("dynamodb").scan(TableName="rooms")["Items"]
    """
    deploy(aws, {**table_with(), "Role": ROLE, "Reader": function(aws, code, name="reader")})
    aws("dynamodb").put_item(TableName="rooms", Item=ITEM)
    another: Any = boto3.client(
        "dynamodb",
        endpoint_url=account.endpoint_url,
        region_name=REGION,
        aws_access_key_id="another",
        aws_secret_access_key="another",
    )
    assert another.scan(TableName="rooms")["Items"] == [ITEM]
    assert invoke(aws, "reader") == [ITEM]
    direct: Any = boto3.client(
        "dynamodb",
        endpoint_url=account.tables.start()(),
        region_name=REGION,
        aws_access_key_id="another",
        aws_secret_access_key="another",
    )
    assert direct.scan(TableName="rooms")["Items"] == [ITEM]


@pytest.mark.proof
def test_its_arn_is_of_this_account(aws: Client) -> None:
    outputs = {
        "Arn": {"Value": {"Fn::GetAtt": ["Table", "Arn"]}},
        "Name": {"Value": {"Ref": "Table"}},
    }
    deploy(aws, table_with(), outputs=outputs)
    (stack,) = aws("cloudformation").describe_stacks(StackName="rooms")["Stacks"]
    found = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    arn = f"arn:aws:dynamodb:{REGION}:123456789012:table/rooms"
    assert found == {"Arn": arn, "Name": "rooms"}
    assert aws("dynamodb").describe_table(TableName="rooms")["Table"]["TableArn"] == arn


@pytest.mark.proof
def test_a_stream_is_found_by_its_arn(aws: Client) -> None:
    outputs = {"Stream": {"Value": {"Fn::GetAtt": ["Table", "StreamArn"]}}}
    deploy(aws, table_with(StreamSpecification={"StreamViewType": "KEYS_ONLY"}), outputs=outputs)
    (stack,) = aws("cloudformation").describe_stacks(StackName="rooms")["Stacks"]
    arn = stack["Outputs"][0]["OutputValue"]
    assert arn.startswith(f"arn:aws:dynamodb:{REGION}:123456789012:table/rooms/stream/")
    found = aws("dynamodbstreams").describe_stream(StreamArn=arn)["StreamDescription"]
    assert (found["TableName"], found["StreamArn"]) == ("rooms", arn)


def test_a_change_keeps_the_items(aws: Client) -> None:
    deploy(aws, table_with())
    aws("dynamodb").put_item(TableName="rooms", Item=ITEM)
    deploy(aws, table_with(DeletionProtectionEnabled="true", TimeToLiveSpecification={}))
    found = aws("dynamodb").describe_table(TableName="rooms")["Table"]
    assert found["DeletionProtectionEnabled"]
    expiry = aws("dynamodb").describe_time_to_live(TableName="rooms")["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "DISABLED"}
    assert aws("dynamodb").scan(TableName="rooms")["Items"] == [ITEM]
    deploy(aws, table_with(DeletionProtectionEnabled=False))


@pytest.mark.proof
@pytest.mark.parametrize(
    ("properties", "said"),
    [
        (
            {
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            },
            "cannot change AttributeDefinitions, KeySchema of the table rooms",
        ),
        ({"TableName": "seats"}, "cannot change TableName of the table rooms"),
        ({"ImportSourceSpecification": {}}, "does not support ImportSourceSpecification"),
    ],
)
def test_a_change_that_cannot_be_made_fails_the_deploy_by_name(
    aws: Client, properties: Resources, said: str
) -> None:
    deploy(aws, table_with())
    with pytest.raises(RolledBackError, match=said):
        deploy(aws, table_with(**properties))
    assert aws("dynamodb").list_tables()["TableNames"] == ["rooms"]


@pytest.mark.proof
def test_what_dynamodb_refuses_fails_the_deploy_with_its_reason(aws: Client) -> None:
    with pytest.raises(RolledBackError, match="ValidationException"):
        deploy(aws, table_with(AttributeDefinitions=[]))


@pytest.mark.proof
def test_another_expiry_is_refused_while_one_is_on(aws: Client) -> None:
    """CloudFormation says it, too: first without, then with the other attribute."""
    other = {"AttributeName": "endsAt", "Enabled": True}
    deploy(aws, table_with())
    with pytest.raises(RolledBackError, match="active on a different AttributeName"):
        deploy(aws, table_with(TimeToLiveSpecification=other))
    none = {**TABLE["Properties"]["TimeToLiveSpecification"], "Enabled": False}
    deploy(aws, table_with(TimeToLiveSpecification=none))
    deploy(aws, table_with(TimeToLiveSpecification=other))
    expiry = aws("dynamodb").describe_time_to_live(TableName="rooms")["TimeToLiveDescription"]
    assert expiry == {"AttributeName": "endsAt", "TimeToLiveStatus": "ENABLED"}


def test_the_table_goes_with_its_stack(aws: Client) -> None:
    deploy(aws, table_with())
    aws("cloudformation").delete_stack(StackName="rooms")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        aws("dynamodb").scan(TableName="rooms")


def test_it_starts_only_when_it_is_used() -> None:
    before = child_processes()
    with emulated_account() as account:
        assert child_processes() <= before
        account.tables.start()
        assert len(child_processes() - before) == 1
    assert child_processes() <= before


@pytest.mark.proof
def test_each_answer_has_its_checksum_without_which_the_function_believes_none(
    aws: Client,
) -> None:
    deploy(aws, {"Table": TABLE})
    client = aws("dynamodb")
    for answer in (
        client.put_item(TableName="rooms", Item=ITEM),
        client.get_item(TableName="rooms", Key=ITEM),
        client.describe_table(TableName="rooms"),
    ):
        assert int(answer["ResponseMetadata"]["HTTPHeaders"]["x-amz-crc32"]) >= 0
