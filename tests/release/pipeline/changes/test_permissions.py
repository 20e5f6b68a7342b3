"""Permissions that a change gives or takes."""

from typing import Any

import pytest

from release.pipeline.changes.model import PermissionChange, ResourceChange, ValueChange
from release.pipeline.changes.permissions import permissions
from release.pipeline.changes.template_diff import (
    ManagedPolicyDiff,
    RuleDiff,
    StatementDiff,
    TemplateDiff,
)

NOTHING = TemplateDiff(
    resources={},
    statements=(),
    managed_policies=(),
    identity_center=False,
    inbound_rules=(),
    outbound_rules=(),
)


def statement(*, added: bool, **fields: Any) -> StatementDiff:
    return StatementDiff(
        added=added,
        **{
            "effect": "Allow",
            "principals": ("AWS:${Role}",),
            "actions": ("s3:GetObject", "s3:PutObject"),
            "resources": ("${Bucket.Arn}/*",),
            "condition": "",
            **fields,
        },
    )


def found(*statements: StatementDiff, gone: str = "") -> list[PermissionChange]:
    changes = [ResourceChange(logical_id=gone, type="T", kind="removed")] if gone else []
    return list(permissions(with_(statements=statements), changes))


def with_(**fields: Any) -> TemplateDiff:
    return TemplateDiff(
        **{name: getattr(NOTHING, name) for name in NOTHING.__struct_fields__} | fields
    )


@pytest.mark.parametrize(
    ("one", "wider"),
    [
        (statement(added=True), True),
        (statement(added=False), False),
        (statement(added=True, effect="Deny"), False),
        (statement(added=False, effect="Deny"), True),
        (statement(added=True, effect="Unknown"), True),
        (statement(added=False, effect="Unknown"), True),
    ],
)
def test_more_is_allowed_by_what_allows_or_no_longer_denies(
    one: StatementDiff, wider: bool
) -> None:
    (permission,) = found(one)
    assert permission.wider is wider


@pytest.mark.parametrize(
    ("new", "wider"),
    [
        ({"actions": ("s3:GetObject",)}, False),
        ({"actions": ("s3:PutObject", "s3:GetObject")}, False),
        ({"actions": ("s3:GetObject", "s3:*")}, True),
        ({"resources": ("*",)}, True),
        ({"principals": ("AWS:*",)}, True),
        ({"condition": '{"Bool":{}}'}, False),
        ({"actions": ("all but s3:GetObject",)}, True),
    ],
)
def test_what_takes_the_place_of_more_is_not_wider(new: dict[str, Any], wider: bool) -> None:
    old, narrowed = found(statement(added=False), statement(added=True, **new))
    assert narrowed.wider is wider
    assert not old.wider


def test_a_condition_that_goes_or_changes_is_wider() -> None:
    conditional = statement(added=False, condition='{"Bool":{}}')
    for condition in ("", '{"Null":{}}'):
        assert found(conditional, statement(added=True, condition=condition))[1].wider


def test_all_but_something_covers_itself_alone() -> None:
    old = statement(added=False, actions=("all but s3:A", "all but s3:B"))
    assert found(old, statement(added=True, actions=("all but s3:A",)))[1].wider
    same = statement(added=True, actions=old.actions, resources=())
    assert not found(old, same)[1].wider


def test_a_denial_that_others_take_the_place_of_is_not_wider() -> None:
    gone = statement(added=False, effect="Deny", actions=("s3:GetObject",))
    assert not found(gone, statement(added=True, effect="Deny"))[0].wider
    assert found(gone, statement(added=True))[0].wider


def test_a_denial_about_what_is_removed_too_allows_nothing() -> None:
    denial = statement(added=False, effect="Deny", resources=("${Bucket.Arn}", "${Bucket.Arn}/*"))
    assert not found(denial, gone="Bucket")[0].wider
    assert found(denial, gone="Other")[0].wider
    about_more = statement(added=False, effect="Deny", resources=("${Bucket.Arn}", "*"))
    assert found(about_more, gone="Bucket")[0].wider


def test_managed_policies_and_rules_are_told() -> None:
    rule = RuleDiff(added=True, group="G", protocol="TCP 22", peer="Everyone (IPv4)")
    told = permissions(
        with_(
            managed_policies=(ManagedPolicyDiff(added=False, identity="I", policy="P"),),
            inbound_rules=(rule,),
            outbound_rules=(rule,),
            identity_center=True,
        ),
        [],
    )
    assert [(one.sort, one.who, one.what, one.on, one.wider) for one in told] == [
        ("managed policy", ("I",), ("P",), (), False),
        ("inbound rule", ("Everyone (IPv4)",), ("TCP 22",), ("G",), True),
        ("outbound rule", ("Everyone (IPv4)",), ("TCP 22",), ("G",), True),
        ("IAM Identity Center", (), (), (), True),
    ]


@pytest.mark.parametrize(
    ("kind", "path", "told"),
    [
        ("AWS::IAM::Role", "PermissionsBoundary", True),
        ("AWS::IAM::Role", "PermissionsBoundary.Ref", True),
        ("AWS::IAM::Role", "Description", False),
        ("AWS::S3::Bucket", "PublicAccessBlockConfiguration.BlockPublicAcls", True),
        ("AWS::S3::Bucket", "PermissionsBoundary", False),
    ],
)
def test_a_guard_that_changes_is_told(kind: str, path: str, told: bool) -> None:
    value = ValueChange(path=path, old="1", new="2")
    change = ResourceChange(logical_id="A", type=kind, kind="changed", values=(value, value))
    guards = list(permissions(NOTHING, [change]))
    assert [(one.sort, one.wider, one.on) for one in guards] == [("guard", True, ("A",))] * told
