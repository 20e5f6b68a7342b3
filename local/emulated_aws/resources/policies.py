"""Policies of buckets and topics."""
# ruff: noqa: D102  (the methods are moto's protocol, documented once in Model)

import json

from moto.core.common_models import CloudFormationModel
from moto.sns.models import sns_backends

from local.emulated_aws.resources.model import Model, Properties


class BucketPolicyModel(Model, CloudFormationModel):
    """Part of ``cdk bootstrap``. Accepted and not applied: moto enforces bucket policies without
    their conditions, so "deny what comes without TLS" would deny everything.
    """

    TYPE = "AWS::S3::BucketPolicy"

    def put(self, name: str, properties: Properties) -> None:  # noqa: ARG002  (not applied)
        self.physical_resource_id = name

    def delete(self, *_: str) -> None:
        """There is nothing to remove."""


class TopicPolicyModel(Model, CloudFormationModel):
    """Ref is a generated name."""

    TYPE = "AWS::SNS::TopicPolicy"

    def put(self, name: str, properties: Properties) -> None:
        self.physical_resource_id = name
        backend = sns_backends[self.account_id][self.region]
        for topic in properties["Topics"]:
            backend.get_topic(topic).policy = json.dumps(properties["PolicyDocument"])

    def delete(self, *_: str) -> None:
        """Leave the policy: a topic always has one, and it goes with the topic."""
