import json

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template
from constructs.image_repository import ImageRepository


def synthesize(stack: Stack, *, retain: bool) -> Template:
    ImageRepository(stack, "Images", name="images", function_name="rooms", retain=retain)
    return Template.from_stack(stack)


def test_tags_cannot_move_and_pushes_are_scanned(stack: Stack) -> None:
    synthesize(stack, retain=True).has_resource_properties(
        "AWS::ECR::Repository",
        {
            "RepositoryName": "images",
            "ImageTagMutability": "IMMUTABLE",
            "ImageScanningConfiguration": {"ScanOnPush": True},
        },
    )


def test_no_rule_ever_removes_an_image_that_has_a_tag(stack: Stack) -> None:
    template = synthesize(stack, retain=True)
    (repository,) = template.find_resources("AWS::ECR::Repository").values()
    policy = json.loads(repository["Properties"]["LifecyclePolicy"]["LifecyclePolicyText"])
    assert [rule["selection"]["tagStatus"] for rule in policy["rules"]] == ["untagged"]
    assert policy["rules"][0]["selection"]["countNumber"] == 7


def test_only_this_function_may_pull(stack: Stack) -> None:
    template = synthesize(stack, retain=True)
    (repository,) = template.find_resources("AWS::ECR::Repository").values()
    (statement,) = repository["Properties"]["RepositoryPolicyText"]["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert statement["Action"] == ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    arns = json.dumps(statement["Condition"]["ArnLike"]["aws:SourceArn"])
    assert arns.count(":function:rooms") == 2


@pytest.mark.parametrize(("retain", "policy"), [(True, "Retain"), (False, "Delete")])
def test_images_outlive_the_stack_where_data_is_kept(
    stack: Stack, *, retain: bool, policy: str
) -> None:
    synthesize(stack, retain=retain).has_resource(
        "AWS::ECR::Repository",
        {"DeletionPolicy": policy, "Properties": {"EmptyOnDelete": not retain}},
    )
