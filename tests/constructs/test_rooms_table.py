from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template
from constructs.rooms_table import RoomsTable


def test_one_room_is_one_item_and_expires_by_itself(stack: Stack) -> None:
    RoomsTable(stack, "Table", name="rooms", retain=False)
    Template.from_stack(stack).has_resource_properties(
        "AWS::DynamoDB::Table",
        {
            "TableName": "rooms",
            "KeySchema": [{"AttributeName": "roomId", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "roomId", "AttributeType": "S"}],
            "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": True},
            "BillingMode": "PAY_PER_REQUEST",
        },
    )


@pytest.mark.parametrize(("retain", "policy"), [(True, "Retain"), (False, "Delete")])
def test_rooms_are_protected_where_data_is_kept(stack: Stack, *, retain: bool, policy: str) -> None:
    RoomsTable(stack, "Table", name="rooms", retain=retain)
    Template.from_stack(stack).has_resource(
        "AWS::DynamoDB::Table",
        {
            "DeletionPolicy": policy,
            "Properties": {
                "DeletionProtectionEnabled": retain,
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": retain},
            },
        },
    )


def test_the_grant_is_four_actions_on_this_table(stack: Stack) -> None:
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    table = RoomsTable(stack, "Table", name="rooms", retain=False)
    table.grant_room_operations(role)
    template = Template.from_stack(stack)
    (table_id,) = template.find_resources("AWS::DynamoDB::Table")
    (policy,) = template.find_resources("AWS::IAM::Policy").values()
    assert policy["Properties"]["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": [
                "dynamodb:DeleteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:UpdateItem",
            ],
            "Resource": {"Fn::GetAtt": [table_id, "Arn"]},
        }
    ]


def test_beside_another_it_brings_its_access_with_it(stack: Stack) -> None:
    """The version before still serves players from the other, until the alias has moved."""
    function = lambda_.Function(
        stack,
        "Function",
        code=lambda_.Code.from_inline("pass"),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    table = RoomsTable(stack, "Table", name="restored", retain=True)
    table.grant_beside("rooms", function)
    template = Template.from_stack(stack)
    (table_id,) = template.find_resources("AWS::DynamoDB::Table")
    policies: Mapping[str, Any] = template.find_resources("AWS::IAM::Policy")
    own, of_role = sorted(policies, key=lambda name: not name.startswith("TableAccess"))
    resources = {
        name: policy["Properties"]["PolicyDocument"]["Statement"][0]["Resource"]
        for name, policy in policies.items()
    }
    assert resources[own] == {"Fn::GetAtt": [table_id, "Arn"]}
    assert resources[of_role]["Fn::Join"][1][-1] == ":table/rooms"
    (made,) = template.find_resources("AWS::Lambda::Function").values()
    assert own in made["DependsOn"]
