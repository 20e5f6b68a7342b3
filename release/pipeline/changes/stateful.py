"""Stateful resources that a change replaces, removes or protects less."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from release.pipeline.changes.model import DataLossRisk, ResourceChange

LOST: Final[Mapping[str, str]] = {
    "AWS::ApiGatewayV2::Api": "its address, which open pages call",
    "AWS::CloudFront::Distribution": "its domain name, which links and DNS records point to",
    "AWS::Cognito::UserPool": "every account in it",
    "AWS::DynamoDB::GlobalTable": "every item in it",
    "AWS::DynamoDB::Table": "every item in it",
    "AWS::EC2::Volume": "everything on it",
    "AWS::ECR::Repository": "every image in it, and with them every roll-back",
    "AWS::EFS::FileSystem": "every file in it",
    "AWS::KMS::Key": "everything that is encrypted with it",
    "AWS::Kinesis::Stream": "every record in it",
    "AWS::Logs::LogGroup": "every log line in it",
    "AWS::RDS::DBCluster": "everything in it",
    "AWS::RDS::DBInstance": "everything in it",
    "AWS::Route53::HostedZone": "its records and its name servers",
    "AWS::S3::Bucket": "every object in it",
    "AWS::SNS::Topic": "its subscriptions: nobody is notified until people subscribe again",
    "AWS::SQS::Queue": "every message in it",
    "AWS::SSM::Parameter": "its value and its history",
    "AWS::SecretsManager::Secret": "its value",
}
"""By resource type: what goes with it."""

# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html
_NAMES: Final[Mapping[str, str]] = {
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SSM::Parameter": "Name",
}
_KEEPING: Final[Mapping[str, str]] = {
    "Retain": "Retain",
    "RetainExceptOnCreate": "RetainExceptOnCreate",
    "Snapshot": "Snapshot: a copy of it is kept",
}


def data_loss_risks(
    changes: Sequence[ResourceChange], old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[DataLossRisk]:
    """Yield what is lost, or no longer protected.

    Args:
        changes: what becomes of the resources of a template.
        old: its resources as they are, by logical id.
        new: its resources as they will be.

    """
    for change in changes:
        lost = LOST.get(change.type)
        if lost is None or change.kind == "added":
            continue
        before, after = (side.get(change.logical_id) for side in (old, new))
        if change.kind == "changed":
            if gone := _lost_protections(before, after):
                yield DataLossRisk(
                    logical_id=change.logical_id,
                    type=change.type,
                    kind="unprotected",
                    lost=lost,
                    lost_protections=gone,
                )
            continue
        yield DataLossRisk(
            logical_id=change.logical_id,
            type=change.type,
            kind=change.kind,
            lost=lost,
            kept_by=_kept_by(before, after),
            fixed_name=change.kind == "replaced" and _has_fixed_name(before, after),
        )


def _kept_by(before: Any, after: Any) -> str | None:
    """Return the policy that keeps what is removed or replaced.

    A removed resource's is that of the template before. For a replaced one AWS does not say whether
    the template before or after counts, so only what both say is believed:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatereplacepolicy.html
    """
    if after is None:
        return _policy(before, "DeletionPolicy")
    policies = {_policy(side, "UpdateReplacePolicy") for side in (before, after)}
    return policies.pop() if len(policies) == 1 else None


def _policy(resource: Any, name: str) -> str | None:
    value = resource.get(name)
    kept = _KEEPING.get(value) if isinstance(value, str) else None
    return kept and f"{name} {kept}"


def _lost_protections(before: Any, after: Any) -> tuple[str, ...]:
    policies = [
        name
        for name in ("DeletionPolicy", "UpdateReplacePolicy")
        if _policy(before, name) and not _policy(after, name)
    ]
    switches = [
        name
        for name in ("DeletionProtection", "DeletionProtectionEnabled")
        if _is_on(before, name) and not _is_on(after, name)
    ]
    return (*policies, *switches)


def _is_on(resource: Any, name: str) -> bool:
    # CloudFormation takes text for true, too.
    value = resource.get("Properties", {}).get(name)
    return value is True or value == "true"


def _has_fixed_name(before: Any, after: Any) -> bool:
    """Whether the template gives it one name, so that old and new cannot be there together."""
    name = _NAMES.get(before["Type"])
    if name is None or before["Type"] != after["Type"]:
        return False
    old, new = (side.get("Properties", {}).get(name) for side in (before, after))
    return old is not None and bool(old == new)
