"""A stack is deleted as in CloudFormation: users first, and what is retained stays."""

import json

import pytest

from tests.local.conftest import Client
from tests.support.local.emulated_functions import (
    ROLE,
    Resources,
    RolledBackError,
    deploy,
    events,
    status,
)

BUCKETS: Resources = {
    "Full": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "full"}},
    "Kept": {
        "Type": "AWS::S3::Bucket",
        "Properties": {"BucketName": "kept"},
        "DeletionPolicy": "Retain",
    },
}
EMPTIES: Resources = {
    "Empties": {
        "Type": "Custom::S3AutoDeleteObjects",
        "Properties": {"ServiceToken": "function", "BucketName": {"Ref": "Full"}},
    }
}


def deployed(aws: Client, resources: Resources) -> str:
    """Deploy a stack, put something into its bucket, and return the stack's id."""
    deploy(aws, resources, outputs={"Bucket": {"Value": {"Ref": "Full"}, "Export": {"Name": "b"}}})
    aws("s3").put_object(Bucket="full", Key="page", Body=b"page")
    return str(aws("cloudformation").describe_stacks(StackName="rooms")["Stacks"][0]["StackId"])


def buckets(aws: Client) -> set[str]:
    return {bucket["Name"] for bucket in aws("s3").list_buckets()["Buckets"]}


def test_what_uses_a_resource_goes_first_and_what_is_retained_stays(aws: Client) -> None:
    cloudformation = aws("cloudformation")
    id_ = deployed(aws, BUCKETS | EMPTIES)

    cloudformation.delete_stack(StackName="rooms")

    assert buckets(aws) == {"kept"}
    assert status(aws, name=id_) == "DELETE_COMPLETE"
    assert [(e[0], e[1]) for e in events(aws, name=id_) if e[1].startswith("DELETE")] == [
        ("rooms", "DELETE_IN_PROGRESS"),
        ("Empties", "DELETE_IN_PROGRESS"),
        ("Empties", "DELETE_COMPLETE"),
        ("Kept", "DELETE_SKIPPED"),
        ("Full", "DELETE_IN_PROGRESS"),
        ("Full", "DELETE_COMPLETE"),
        ("rooms", "DELETE_COMPLETE"),
    ]
    assert cloudformation.list_exports()["Exports"] == []
    assert not cloudformation.describe_stacks()["Stacks"]
    assert "Outputs" not in cloudformation.describe_stacks(StackName=id_)["Stacks"][0]
    assert buckets(aws) == {"kept"}, "reading the outputs has made a bucket"


@pytest.mark.proof
def test_what_cannot_be_deleted_is_named_and_the_stack_stays(aws: Client) -> None:
    deploy(aws, {"Role": ROLE})
    iam = aws("iam")
    (role,) = iam.list_roles()["Roles"]
    allow = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [allow]}
    policy = iam.create_policy(PolicyName="by-hand", PolicyDocument=json.dumps(document))["Policy"]
    iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn=policy["Arn"])
    aws("cloudformation").delete_stack(StackName="rooms")
    assert status(aws) == "DELETE_FAILED"
    assert iam.list_roles()["Roles"]
    assert any("detach all policies" in reason for _, _, reason in events(aws))


def test_a_change_set_of_the_same_name_is_that_of_the_stack_that_is_there(aws: Client) -> None:
    """The CDK deploys with change sets, and each has one name."""
    cloudformation = aws("cloudformation")
    for _ in range(2):
        cloudformation.create_change_set(
            StackName="rooms",
            ChangeSetName="cdk-deploy-change-set",
            ChangeSetType="CREATE",
            TemplateBody=json.dumps({"Resources": {"Role": ROLE}}),
        )
        cloudformation.execute_change_set(StackName="rooms", ChangeSetName="cdk-deploy-change-set")
        assert status(aws) == "CREATE_COMPLETE"
        cloudformation.delete_stack(StackName="rooms")


def test_a_missing_stack_is_deleted_already(aws: Client) -> None:
    aws("cloudformation").delete_stack(StackName="nobody")


def test_a_stack_whose_creation_failed_can_be_deleted_and_made_again(aws: Client) -> None:
    twice = {**BUCKETS, "Again": BUCKETS["Full"] | {"DependsOn": ["Full"]}}
    with pytest.raises(RolledBackError, match="bucket name is not available"):
        deploy(aws, twice)
    assert status(aws) == "ROLLBACK_COMPLETE"
    aws("cloudformation").delete_stack(StackName="rooms")
    aws("s3").delete_bucket(Bucket="kept")
    deploy(aws, BUCKETS)
    assert status(aws) == "CREATE_COMPLETE"
