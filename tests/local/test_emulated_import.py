"""A change set that imports what is there already, as CloudFormation does it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import Client
from tests.support.local.emulated_functions import ROLE, Resources, events, status

pytestmark = pytest.mark.proof

TABLE: Resources = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "TableName": "rooms",
        "KeySchema": [{"AttributeName": "roomId", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "roomId", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    },
    "DeletionPolicy": "Retain",
}
KEPT: Resources = {
    "Table": TABLE,
    "Images": {
        "Type": "AWS::ECR::Repository",
        "Properties": {"RepositoryName": "rooms"},
        "DeletionPolicy": "RetainExceptOnCreate",
    },
    "Logs": {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {"LogGroupName": "/aws/lambda/rooms"},
        "DeletionPolicy": "Retain",
    },
}
ITEM = {"roomId": {"S": "BCD234"}}
FAILS: Resources = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "taken"}}


def change(
    aws: Client, resources: Resources, *, kind: str = "CREATE", name: str = "rooms", **others: Any
) -> None:
    """Deploy with a change set, as the CDK does."""
    cloudformation = aws("cloudformation")
    others = {"ImportExistingResources": True, **others}
    made = cloudformation.create_change_set(
        StackName=name,
        ChangeSetName="change",
        ChangeSetType=kind,
        TemplateBody=json.dumps({"Resources": resources}),
        **others,
    )
    cloudformation.execute_change_set(ChangeSetName=made["Id"])


def left_behind(aws: Client) -> None:
    """Let table, repository and log group be there, as those of a stack that was deleted."""
    change(aws, KEPT)
    aws("dynamodb").put_item(TableName="rooms", Item=ITEM)
    aws("cloudformation").delete_stack(StackName="rooms")


def imported(aws: Client, *, name: str = "rooms") -> list[str]:
    return sorted(e[0] for e in events(aws, name=name) if e[1] == "IMPORT_COMPLETE")


def test_what_a_deleted_stack_has_left_is_taken_over_with_what_is_in_it(aws: Client) -> None:
    left_behind(aws)
    change(aws, {**KEPT, "Role": ROLE})
    assert status(aws) == "CREATE_COMPLETE"
    assert imported(aws) == ["Images", "Logs", "Table"]
    assert aws("dynamodb").scan(TableName="rooms")["Items"] == [ITEM]
    found = aws("cloudformation").describe_stack_resources(StackName="rooms")["StackResources"]
    assert {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}[
        "Table"
    ] == "rooms"


def test_without_the_import_it_stands_in_the_way(aws: Client) -> None:
    left_behind(aws)
    change(aws, {"Table": TABLE}, ImportExistingResources=False)
    assert status(aws) == "ROLLBACK_COMPLETE"
    assert aws("dynamodb").scan(TableName="rooms")["Items"] == [ITEM]


def test_what_is_not_there_is_made(aws: Client) -> None:
    change(aws, KEPT)
    assert status(aws) == "CREATE_COMPLETE"
    assert imported(aws) == []


def test_an_update_imports_one_under_a_new_id_and_leaves_the_old_one(aws: Client) -> None:
    change(aws, {"Table": TABLE})
    properties = {**TABLE["Properties"], "TableName": "restored"}
    aws("dynamodb").create_table(**properties)
    aws("dynamodb").put_item(TableName="restored", Item=ITEM)

    change(aws, {"Restored": {**TABLE, "Properties": properties}}, kind="UPDATE")

    assert status(aws) == "UPDATE_COMPLETE"
    assert imported(aws) == ["Restored"]
    assert ("Table", "DELETE_SKIPPED", "") in events(aws)
    assert aws("dynamodb").scan(TableName="restored")["Items"] == [ITEM]
    assert aws("dynamodb").list_tables()["TableNames"] == ["restored", "rooms"]


def test_what_the_template_would_delete_is_refused_and_nothing_is_done(aws: Client) -> None:
    left_behind(aws)
    deleted = {**TABLE, "DeletionPolicy": "Delete"}
    with pytest.raises(ClientError, match=r"DeletionPolicy attribute set to 'Retain'.*Table"):
        change(aws, {"Table": deleted, "Role": ROLE})
    assert not aws("cloudformation").describe_stacks()["Stacks"]
    assert not aws("iam").list_roles()["Roles"]
    assert aws("dynamodb").scan(TableName="rooms")["Items"] == [ITEM]


def test_what_belongs_to_another_stack_is_not_taken_from_it(aws: Client) -> None:
    change(aws, KEPT)
    change(aws, {"Mine": TABLE}, name="other")
    assert status(aws, name="other") == "ROLLBACK_COMPLETE"
    assert status(aws) == "CREATE_COMPLETE"


def test_a_name_that_is_made_of_others_is_not_looked_for(aws: Client) -> None:
    left_behind(aws)
    properties = {**TABLE["Properties"], "TableName": {"Fn::Join": ["", ["ro", "oms"]]}}
    change(aws, {"Table": {**TABLE, "Properties": properties}})
    assert status(aws) == "ROLLBACK_COMPLETE"


@pytest.mark.parametrize("kind", ["CREATE", "UPDATE"])
def test_a_rollback_leaves_what_was_imported_as_it_was(aws: Client, kind: str) -> None:
    left_behind(aws)
    aws("s3").create_bucket(
        Bucket="taken", CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    if kind == "UPDATE":
        change(aws, {"Role": ROLE})
    fails = {**FAILS, "DependsOn": list(KEPT)}
    change(aws, {**KEPT, "Fails": fails, "Role": ROLE}, kind=kind)
    assert status(aws) == ("ROLLBACK_COMPLETE" if kind == "CREATE" else "UPDATE_ROLLBACK_COMPLETE")
    assert aws("dynamodb").scan(TableName="rooms")["Items"] == [ITEM]
    assert aws("ecr").describe_repositories()["repositories"]
    aws("cloudformation").delete_stack(StackName="rooms")
    change(aws, KEPT)
    assert imported(aws) == ["Images", "Logs", "Table"]
