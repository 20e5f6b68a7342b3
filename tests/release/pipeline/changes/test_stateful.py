"""Stateful resources that are replaced, removed or protected less."""

from typing import Any

import pytest

from release.pipeline.changes.model import ChangeKind, DataLossRisk, ResourceChange
from release.pipeline.changes.stateful import data_loss_risks

TABLE = "AWS::DynamoDB::Table"


def endangered(
    kind: ChangeKind, old: Any = None, new: Any = None, type_: str = TABLE
) -> list[DataLossRisk]:
    change = ResourceChange(logical_id="A", kind=kind, type=type_)
    sides = [{"A": {"Type": type_, **one}} if one is not None else {} for one in (old, new)]
    return list(data_loss_risks([change], *sides))


def kept_by(kind: ChangeKind, old: Any, new: Any = None) -> str | None:
    (danger,) = endangered(kind, old, new)
    return danger.kept_by


@pytest.mark.parametrize("kind", ["replaced", "may be replaced"])
def test_a_replaced_table_loses_its_items(kind: ChangeKind) -> None:
    (danger,) = endangered(kind, {}, {})
    assert (danger.kind, danger.lost, danger.kept_by) == (kind, "every item in it", None)


def test_a_removed_one_is_kept_by_the_policy_that_it_had() -> None:
    assert kept_by("removed", {}) is None
    assert kept_by("removed", {"DeletionPolicy": "Delete"}) is None
    assert kept_by("removed", {"UpdateReplacePolicy": "Retain"}) is None
    assert kept_by("left behind", {"DeletionPolicy": "Retain"}) == "DeletionPolicy Retain"
    assert kept_by("removed", {"DeletionPolicy": "Snapshot"}) == (
        "DeletionPolicy Snapshot: a copy of it is kept"
    )
    assert kept_by("removed", {"DeletionPolicy": {"Ref": "A"}}) is None


def test_a_replaced_one_is_kept_where_both_templates_say_so() -> None:
    retain = {"UpdateReplacePolicy": "Retain"}
    assert kept_by("replaced", retain, retain) == "UpdateReplacePolicy Retain"
    assert kept_by("replaced", retain, {}) is None
    assert kept_by("replaced", {}, retain) is None
    deletion = {"DeletionPolicy": "Retain"}
    assert kept_by("replaced", deletion, deletion) is None


def test_a_fixed_name_stops_a_replacement() -> None:
    named, renamed = {"Properties": {"TableName": "a"}}, {"Properties": {"TableName": "b"}}
    for old, new, fixed in ((named, named, True), (named, renamed, False), ({}, {}, False)):
        (danger,) = endangered("replaced", old, new)
        assert danger.fixed_name is fixed
    (danger,) = endangered("may be replaced", named, named)
    assert not danger.fixed_name


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ({"DeletionPolicy": "Retain"}, {"DeletionPolicy": "Delete"}, ("DeletionPolicy",)),
        ({"DeletionPolicy": "Retain"}, {"DeletionPolicy": "RetainExceptOnCreate"}, ()),
        ({"UpdateReplacePolicy": "Retain"}, {}, ("UpdateReplacePolicy",)),
        ({}, {"DeletionPolicy": "Retain"}, ()),
        (
            {"Properties": {"DeletionProtectionEnabled": True}},
            {"Properties": {"DeletionProtectionEnabled": False}},
            ("DeletionProtectionEnabled",),
        ),
        (
            {"Properties": {"DeletionProtection": "ACTIVE"}},
            {"Properties": {"DeletionProtection": "INACTIVE"}},
            ("DeletionProtection",),
        ),
        (
            {"Properties": {"DeletionProtectionEnabled": True}},
            {"Properties": {"DeletionProtectionEnabled": "true"}},
            (),
        ),
    ],
)
def test_one_that_stays_may_lose_its_protection(old: Any, new: Any, lost: tuple[str, ...]) -> None:
    found = endangered("changed", old, new)
    assert [one.lost_protections for one in found] == ([lost] if lost else [])
    assert all(one.kind == "unprotected" for one in found)


def test_what_is_new_or_holds_nothing_is_in_no_danger() -> None:
    assert endangered("added", None, {}) == []
    assert endangered("removed", {}, type_="AWS::CloudWatch::Alarm") == []


def named(name: str, **others: Any) -> Any:
    return {"Properties": {"TableName": name}, **others}


RETAIN = {"UpdateReplacePolicy": "Retain", "DeletionPolicy": "Retain"}


def test_one_that_stays_and_loses_data_is_told_beside_what_it_loses_of_protection() -> None:
    before = {
        "Properties": {
            "TimeToLiveSpecification": {"AttributeName": "a", "Enabled": True},
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        },
        "DeletionPolicy": "Retain",
    }
    after = {"Properties": {"TimeToLiveSpecification": {"AttributeName": "b", "Enabled": True}}}
    loses, unprotected = endangered("changed", before, after)
    assert (loses.kind, [one.path for one in loses.kept_less]) == (
        "loses data",
        ["TimeToLiveSpecification"],
    )
    assert (unprotected.kind, unprotected.lost_protections) == ("unprotected", ("DeletionPolicy",))
    assert [one.path for one in unprotected.kept_less] == [
        "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled"
    ]
    assert [one.kind for one in endangered("may be replaced", before, after)] == [
        "loses data",
        "unprotected",
        "may be replaced",
    ]


def test_what_begins_empty_in_the_place_of_a_kept_one_is_named() -> None:
    (renamed,) = endangered("replaced", named("a", **RETAIN), named("b", **RETAIN))
    assert (renamed.name, renamed.empty_one) == ("a", "b")
    (generated,) = endangered("replaced", RETAIN, RETAIN)
    assert (generated.name, generated.empty_one) == (None, "A")


def test_nothing_begins_empty_where_all_is_lost_or_nothing_can_come() -> None:
    (lost,) = endangered("replaced", named("a"), named("b"))
    assert lost.empty_one is None
    (refused,) = endangered("replaced", named("a", **RETAIN), named("a", **RETAIN))
    assert (refused.fixed_name, refused.empty_one) == (True, None)
    (removed,) = endangered("removed", named("a", **RETAIN))
    assert removed.empty_one is None


def test_one_of_the_same_type_that_is_new_takes_the_place_of_one_that_goes() -> None:
    changes = [
        ResourceChange(logical_id="Old", kind="left behind", type=TABLE),
        ResourceChange(logical_id="New", kind="added", type=TABLE),
    ]
    old = {"Old": {"Type": TABLE, **named("a", **RETAIN)}}
    new = {"New": {"Type": TABLE, **named("b")}, "More": {"Type": TABLE, **named("c")}}
    (danger,) = data_loss_risks(changes, old, new)
    assert (danger.name, danger.empty_one) == ("a", "b")
    changes.append(ResourceChange(logical_id="More", kind="added", type=TABLE))
    (danger,) = data_loss_risks(changes, old, new)
    assert danger.empty_one is None
