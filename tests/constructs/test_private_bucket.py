"""Buckets that nobody reads but those they are opened to."""

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template
from constructs.private_bucket import private_bucket

from tests.support.templates import only, resources


def template(stack: Stack) -> dict[str, Any]:
    return dict(Template.from_stack(stack).to_json())


def test_public_access_and_plain_http_are_denied(stack: Stack) -> None:
    private_bucket(stack, "Bucket", retain=True)
    found = template(stack)
    assert {*only(found, "AWS::S3::Bucket")["PublicAccessBlockConfiguration"].values()} == {True}
    denied = [
        statement
        for statement in only(found, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
    ]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [each["Condition"] for each in denied]


@pytest.mark.parametrize(("retain", "policy"), [(True, "Retain"), (False, "Delete")])
def test_it_goes_with_its_stack_or_stays(stack: Stack, retain: bool, policy: str) -> None:
    private_bucket(stack, "Bucket", retain=retain)
    found = template(stack)
    (bucket,) = resources(found, "AWS::S3::Bucket").values()
    assert bucket["DeletionPolicy"] == policy
    assert len(resources(found, "Custom::S3AutoDeleteObjects")) == (not retain)
