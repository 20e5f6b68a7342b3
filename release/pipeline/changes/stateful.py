"""Stateful resources that a change replaces, removes, empties or protects less."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import structs

from release.pipeline.changes.model import DataLossRisk, ResourceChange
from release.pipeline.changes.stored_data import kept_less

LOST: Final[Mapping[str, str]] = {
    "AWS::ApiGatewayV2::Api": "its address, which open pages call",
    "AWS::Backup::BackupVault": "every backup in it",
    "AWS::CloudFront::Distribution": "its domain name, which links and DNS records point to",
    "AWS::Cognito::UserPool": "every account in it",
    "AWS::DocDB::DBCluster": "everything in it",
    "AWS::DynamoDB::GlobalTable": "every item in it",
    "AWS::DynamoDB::Table": "every item in it",
    "AWS::EC2::Volume": "everything on it",
    "AWS::ECR::Repository": "every image in it, and with them every roll-back",
    "AWS::EFS::FileSystem": "every file in it",
    "AWS::ElastiCache::ReplicationGroup": "everything in it",
    "AWS::Events::Archive": "every event in it",
    "AWS::KMS::Key": "everything that is encrypted with it",
    "AWS::Kinesis::Stream": "every record in it",
    "AWS::Logs::LogGroup": "every log line in it",
    "AWS::Neptune::DBCluster": "everything in it",
    "AWS::OpenSearchService::Domain": "everything in it",
    "AWS::RDS::DBCluster": "everything in it",
    "AWS::RDS::DBInstance": "everything in it",
    "AWS::Redshift::Cluster": "everything in it",
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
# What holds the users' own data, which they miss where another begins empty in its place.
_OF_USERS: Final = frozenset(
    {
        "AWS::Cognito::UserPool",
        "AWS::DynamoDB::GlobalTable",
        "AWS::DynamoDB::Table",
        "AWS::DocDB::DBCluster",
        "AWS::EFS::FileSystem",
        "AWS::Neptune::DBCluster",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::Redshift::Cluster",
        "AWS::S3::Bucket",
    }
)
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
        if change.kind in {"changed", "may be replaced"}:
            yield from _of_one_that_stays(change, lost, before, after)
        if change.kind == "changed":
            continue
        kept_by = _kept_by(before, after)
        has_fixed_name = change.kind == "replaced" and _has_fixed_name(before, after)
        successor = None if has_fixed_name else _successor(change, before, after, changes, new)
        yield DataLossRisk(
            logical_id=change.logical_id,
            type=change.type,
            kind=change.kind,
            lost=lost,
            kept_by=kept_by,
            fixed_name=has_fixed_name,
            name=fixed_name(before),
            empty_one=successor if kept_by else None,
        )


def with_successor(risk: DataLossRisk, resources: Mapping[str, Any]) -> DataLossRisk:
    """Return the risk of a stack that is removed, where another stage's stack takes its place.

    ``resources`` are those of the other stack: a stage was renamed, or one replaces another.
    """
    other = resources.get(risk.logical_id)
    if risk.type not in _OF_USERS or other is None or other["Type"] != risk.type:
        return risk
    return structs.replace(risk, empty_one=fixed_name(other) or risk.logical_id)


def fixed_name(resource: Any) -> str | None:
    """Return the name that a template gives a resource; None where it has none, or no text."""
    name = _NAMES.get(resource["Type"])
    value = resource.get("Properties", {}).get(name) if name else None
    return value if isinstance(value, str) else None


def _of_one_that_stays(
    change: ResourceChange, lost: str, before: Any, after: Any
) -> Iterator[DataLossRisk]:
    properties = (side.get("Properties", {}) for side in (before, after))
    less = tuple(kept_less(change.type, *properties))
    gone = tuple(one for one in less if one.loses)
    unprotected = tuple(one for one in less if not one.loses)
    if gone:
        yield DataLossRisk(
            logical_id=change.logical_id,
            type=change.type,
            kind="loses data",
            lost=lost,
            kept_less=gone,
        )
    # What one that is replaced loses as well is a matter of course.
    protections = _lost_protections(before, after) if change.kind == "changed" else ()
    if protections or unprotected:
        yield DataLossRisk(
            logical_id=change.logical_id,
            type=change.type,
            kind="unprotected",
            lost=lost,
            lost_protections=protections,
            kept_less=unprotected,
        )


def _successor(
    change: ResourceChange,
    before: Any,
    after: Any,
    changes: Sequence[ResourceChange],
    new: Mapping[str, Any],
) -> str | None:
    """Return what takes the place of one that goes, and is empty: itself, or one of its type."""
    if before["Type"] not in _OF_USERS or change.kind == "may be replaced":
        return None
    if after is not None:
        return fixed_name(after) or change.logical_id
    added = [one.logical_id for one in changes if (one.kind, one.type) == ("added", change.type)]
    # Which one of several it is, nothing says.
    return (fixed_name(new[added[0]]) or added[0]) if len(added) == 1 else None


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
    # CloudFormation takes text for true, too, and Cognito has a word.
    return resource.get("Properties", {}).get(name) in (True, "true", "True", "ACTIVE")


def _has_fixed_name(before: Any, after: Any) -> bool:
    """Whether the template gives it one name, so that old and new cannot be there together."""
    name = _NAMES.get(before["Type"])
    if name is None or before["Type"] != after["Type"]:
        return False
    old, new = (side.get("Properties", {}).get(name) for side in (before, after))
    return old is not None and bool(old == new)
