"""What a resource that stays keeps less of: by an expiry, a retention, a backup or a key."""

from collections.abc import Iterator, Mapping
from typing import Any

from release.pipeline.changes.kept_properties import BY_TYPE, TIME_TO_LIVE
from release.pipeline.changes.model import KeptLess
from release.pipeline.changes.values import as_json, is_same

Properties = Mapping[str, Any]


def kept_less(resource_type: str, before: Properties, after: Properties) -> Iterator[KeptLess]:
    """Yield the properties by which a resource of this type keeps less than before.

    Args:
        resource_type: such as ``AWS::DynamoDB::Table``.
        before: its ``Properties`` as they are.
        after: its ``Properties`` as they will be.

    """
    if resource_type in TIME_TO_LIVE:
        yield from _time_to_live(before, after)
    for one in BY_TYPE.get(resource_type, ()):
        old, new = _at(before, one.path), _at(after, one.path)
        if one.is_worse(old, new):
            yield _less(one.path, old, new, one.means, loses=one.loses)
    if resource_type == "AWS::DynamoDB::GlobalTable":
        yield from _replicas(before, after)
    if resource_type == "AWS::S3::Bucket":
        yield from _expiring_rules(before, after)


def _time_to_live(before: Properties, after: Properties) -> Iterator[KeptLess]:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html"""
    path = "TimeToLiveSpecification"
    old, new = before.get(path), after.get(path)
    by_old, by_new = _expiry(old), _expiry(new)
    if is_same(by_old, by_new):
        return
    deleted = "DynamoDB deletes every item whose number in that attribute is a time in the past"
    if by_old is None:
        yield _less(path, old, new, f"from now on {deleted}", loses=True)
    elif by_new is None:
        means = "items that have expired are no longer deleted: they stay, and are billed"
        yield _less(path, old, new, means, loses=False)
    else:
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-dynamodb-globaltable-timetolivespecification.html
        means = (
            f"{deleted}, and those without it stay for ever. AWS refuses it in one update: deploy"
            " it without the expiry, wait an hour, and then deploy the new attribute"
        )
        yield _less(path, old, new, means, loses=True)


def _expiry(specification: Any) -> Any:
    """Return the attribute by which items expire, or all where that is unknown; None for none."""
    if not isinstance(specification, dict):
        return specification
    match str(specification.get("Enabled", True)).lower():
        case "false":
            return None
        case "true":
            return specification.get("AttributeName", specification)
        case _:
            return specification


def _replicas(before: Properties, after: Properties) -> Iterator[KeptLess]:
    """Compare by Region: the order of replicas means nothing.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
    """
    old, new = (_by_region(side.get("Replicas")) for side in (before, after))
    for region, replica in old.items():
        path = f"Replicas.{region}"
        if region not in new:
            means = "the copy of the table in that Region is deleted"
            yield _less(path, replica, None, means, loses=True)
            continue
        for one in BY_TYPE["AWS::DynamoDB::Table"]:
            values = _at(replica, one.path), _at(new[region], one.path)
            if one.is_worse(*values):
                yield _less(f"{path}.{one.path}", *values, one.means, loses=one.loses)


def _by_region(replicas: Any) -> dict[str, Properties]:
    listed = replicas if isinstance(replicas, list) else []
    return {
        str(one["Region"]): one for one in listed if isinstance(one, dict) and one.get("Region")
    }


def _expiring_rules(before: Properties, after: Properties) -> Iterator[KeptLess]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html"""
    path = "LifecycleConfiguration.Rules"
    old, new = _at(before, path), _at(after, path)
    if new is None or is_same(old, new):
        return
    known = {as_json(_without_id(rule)) for rule in old} if isinstance(old, list) else set()
    rules = new if isinstance(new, list) else [new]
    if any(_can_delete(rule) and as_json(_without_id(rule)) not in known for rule in rules):
        means = "S3 deletes the objects, or the versions, that a rule makes expire"
        yield _less(path, old, new, means, loses=True)


_DELETING = (
    "ExpirationDate",
    "ExpirationInDays",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionExpirationInDays",
)


def _can_delete(rule: Any) -> bool:
    if not isinstance(rule, dict) or "Status" not in rule:
        return True
    return rule["Status"] != "Disabled" and any(name in rule for name in _DELETING)


def _without_id(rule: Any) -> Any:
    return {k: v for k, v in rule.items() if k != "Id"} if isinstance(rule, dict) else rule


def _at(properties: Any, path: str) -> Any:
    """Return the value at a path; None where there is none, an intrinsic function where one is."""
    value = properties
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        if len(value) == 1 and next(iter(value)) in {"Ref", "Fn::If", "Fn::GetAtt"}:
            return value
        value = value.get(name)
    return value


def _less(path: str, old: Any, new: Any, means: str, *, loses: bool) -> KeptLess:
    before, after = (None if value is None else as_json(value) for value in (old, new))
    return KeptLess(path=path, old=before, new=after, means=means, loses=loses)
