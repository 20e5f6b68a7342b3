"""What a resource that stays keeps less of."""

import importlib
import inspect
import re
from typing import Any

import pytest

from release.pipeline.changes.kept_properties import BY_TYPE, TIME_TO_LIVE
from release.pipeline.changes.kept_property import KeptProperty
from release.pipeline.changes.model import KeptLess
from release.pipeline.changes.stateful import LOST
from release.pipeline.changes.stored_data import kept_less

TABLE, GLOBAL, BUCKET = "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket"
LISTED = [
    pytest.param(type_, one, id=f"{type_} {one.path}")
    for type_, ones in BY_TYPE.items()
    for one in ones
]
# For each kind of property, what becomes worse and what does not.
WORSE: dict[str, list[tuple[Any, Any]]] = {
    "less": [(30, 7), ("30", "7"), (30, 1), ({"Ref": "Days"}, 7)],
    "gone": [({"A": 1}, None)],
    "changed": [("a", "b"), ("a", None), (None, "a")],
    "new": [("a", "b"), (None, "a")],
}
BETTER: dict[str, list[tuple[Any, Any]]] = {
    "less": [(7, 30), (30, 30), ("7", "30")],
    "gone": [(None, {"A": 1}), ({"A": 1}, {"A": 2})],
    "changed": [("a", "a")],
    "new": [("a", None), ("a", "a")],
}


def values(one: KeptProperty, *, worse: bool) -> list[tuple[Any, Any]]:
    if one.when not in {"on", "off"}:
        return (WORSE if worse else BETTER)[one.when]
    on, off = (one.words[0], "other") if one.words else (True, False)
    # "off" is worse where it was on, and the reverse.
    good, bad = (on, off) if one.when == "off" else (off, on)
    if worse:
        return [(good, bad), (str(good), str(bad).lower()), ({"Ref": "Good"}, bad)]
    return [(bad, good), (good, good), (bad, bad)]


def at(path: str, value: Any) -> dict[str, Any]:
    """Return properties with a value at a path; without it, for None."""
    if value is None:
        return {}
    *folders, last = path.split(".")
    found: dict[str, Any] = {last: value}
    for name in reversed(folders):
        found = {name: found}
    return found


def found(type_: str, before: Any, after: Any) -> list[KeptLess]:
    return list(kept_less(type_, before, after))


@pytest.mark.parametrize(("type_", "one"), LISTED)
def test_each_is_told_where_it_becomes_worse(type_: str, one: KeptProperty) -> None:
    for old, new in values(one, worse=True):
        told = found(type_, at(one.path, old), at(one.path, new))
        assert [(each.path, each.loses) for each in told] == [(one.path, one.loses)], (old, new)
        assert told[0].means == one.means


@pytest.mark.parametrize(("type_", "one"), LISTED)
def test_and_is_not_told_where_it_does_not(type_: str, one: KeptProperty) -> None:
    for old, new in values(one, worse=False):
        assert found(type_, at(one.path, old), at(one.path, new)) == [], (old, new)


def snake(name: str) -> str:
    """Write a property's name as CDK does in Python."""
    split = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", split).lower()


@pytest.mark.parametrize(("type_", "one"), LISTED)
def test_each_is_a_property_that_aws_has(type_: str, one: KeptProperty) -> None:
    """CDK makes its classes from CloudFormation's own schemas."""
    service, name = type_.split("::")[1:]
    module = importlib.import_module(f"aws_cdk.aws_{service.lower()}")
    parameters = inspect.signature(getattr(module, f"Cfn{name}").__init__).parameters
    assert snake(one.path.partition(".")[0]) in parameters


def test_each_type_is_one_that_holds_data_and_each_source_is_aws() -> None:
    assert BY_TYPE.keys() | TIME_TO_LIVE <= LOST.keys()
    for ones in BY_TYPE.values():
        assert all(one.source.startswith("https://docs.aws.amazon.com/") for one in ones)


@pytest.mark.parametrize(
    ("type_", "path", "default"),
    [
        ("AWS::Logs::LogGroup", "RetentionInDays", "for ever"),
        ("AWS::Kinesis::Stream", "RetentionPeriodHours", 24),
        ("AWS::SQS::Queue", "MessageRetentionPeriod", 345_600),
        (TABLE, "PointInTimeRecoverySpecification.RecoveryPeriodInDays", 35),
        ("AWS::RDS::DBInstance", "BackupRetentionPeriod", 1),
        ("AWS::KMS::Key", "PendingWindowInDays", 30),
    ],
)
def test_what_is_left_out_is_what_aws_takes_then(type_: str, path: str, default: Any) -> None:
    if default == "for ever":
        assert found(type_, {}, at(path, 3653))
        assert not found(type_, at(path, 3653), {})
        return
    assert found(type_, {}, at(path, default - 1))
    assert not found(type_, {}, at(path, default))
    assert found(type_, at(path, default + 1), {})


def ttl(attribute: Any = "expiresAt", enabled: Any = True) -> dict[str, Any]:
    return {"TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": enabled}}


@pytest.mark.parametrize("type_", sorted(TIME_TO_LIVE))
@pytest.mark.parametrize(
    ("before", "after", "loses", "said"),
    [
        (ttl(), ttl("endsAt"), True, "AWS refuses it in one update"),
        ({}, ttl(), True, "from now on DynamoDB deletes"),
        (ttl(enabled=False), ttl(), True, "from now on DynamoDB deletes"),
        (ttl(enabled="false"), ttl(enabled="true"), True, "from now on DynamoDB deletes"),
        (ttl(), {}, False, "no longer deleted"),
        (ttl(), ttl(enabled=False), False, "no longer deleted"),
        (ttl(), ttl({"Ref": "Attribute"}), True, "AWS refuses it"),
        (ttl(), ttl(enabled={"Ref": "Switch"}), True, "AWS refuses it"),
    ],
)
def test_another_expiry_is_told(
    type_: str, before: Any, after: Any, *, loses: bool, said: str
) -> None:
    (one,) = found(type_, before, after)
    assert (one.path, one.loses) == ("TimeToLiveSpecification", loses)
    assert said in one.means


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ttl(), ttl()),
        (ttl(), ttl(enabled="true")),
        ({}, ttl(enabled=False)),
        (ttl("a", enabled=False), ttl("b", enabled=False)),
    ],
)
def test_the_same_expiry_is_not(before: Any, after: Any) -> None:
    assert found(TABLE, before, after) == []


def replica(region: str, *, recovery: bool = True) -> dict[str, Any]:
    return {
        "Region": region,
        **at("PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", recovery),
    }


def test_a_replica_that_goes_is_told_by_its_region_and_another_order_is_not() -> None:
    both = {"Replicas": [replica("eu-west-1"), replica("us-east-1")]}
    (one,) = found(GLOBAL, both, {"Replicas": [replica("us-east-1")]})
    assert (one.path, one.loses) == ("Replicas.eu-west-1", True)
    assert found(GLOBAL, both, {"Replicas": both["Replicas"][::-1]}) == []
    off = {"Replicas": [replica("us-east-1", recovery=False), replica("eu-west-1")]}
    (one,) = found(GLOBAL, both, off)
    assert one.path.startswith("Replicas.us-east-1.PointInTimeRecovery")
    assert not one.loses


def rules(*listed: Any) -> dict[str, Any]:
    return at("LifecycleConfiguration.Rules", list(listed))


EXPIRES = {"Id": "a", "Status": "Enabled", "ExpirationInDays": 30}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({}, rules(EXPIRES), True),
        (rules(EXPIRES), rules({**EXPIRES, "ExpirationInDays": 7}), True),
        (rules(EXPIRES), rules({**EXPIRES, "Prefix": ""}), True),
        ({}, rules({"Status": "Enabled", "NoncurrentVersionExpiration": {}}), True),
        ({}, rules({"Fn::If": ["A", EXPIRES, EXPIRES]}), True),
        (rules({**EXPIRES, "Status": "Disabled"}), rules(EXPIRES), True),
        (rules(EXPIRES), {}, False),
        (rules(EXPIRES), rules({**EXPIRES, "Id": "b"}), False),
        ({}, rules({**EXPIRES, "Status": "Disabled"}), False),
        ({}, rules({"Status": "Enabled", "AbortIncompleteMultipartUpload": {}}), False),
    ],
)
def test_a_rule_of_a_bucket_is_told_where_it_deletes(
    before: Any, after: Any, *, told: bool
) -> None:
    assert [one.loses for one in found(BUCKET, before, after)] == ([True] if told else [])


def test_of_a_strange_template_nothing_is_wrong() -> None:
    values: list[Any] = [None, [], "a", 7, {"Ref": "A"}, {"Fn::If": []}]
    for strange in values:
        properties = {
            "TimeToLiveSpecification": strange,
            "Replicas": strange,
            "LifecycleConfiguration": strange,
            "PointInTimeRecoverySpecification": strange,
        }
        for type_ in BY_TYPE:
            found(type_, properties, {})
            found(type_, {}, properties)
            assert found(type_, properties, properties) == []
