"""The comparison of two states of the project, on the real snapshots."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from release.pipeline.changes.committed import SNAPSHOTS
from release.pipeline.changes.find_changes import find_changes, image_changes
from release.pipeline.changes.model import Changes, ResourceChange, StageStackChange
from release.pipeline.comment.comment import as_markdown
from tests.support.release.states import (
    PIN,
    Template,
    commit,
    logical_id,
    project,
    repository,
    resource,
    snapshot,
    state,
)

TABLE, ALARM, BUCKET = "AWS::DynamoDB::Table", "AWS::CloudWatch::Alarm", "AWS::S3::Bucket"
POLICY, REPOSITORY = "AWS::IAM::Policy", "AWS::ECR::Repository"
NEXT = msgspec.structs.replace(PIN, digest="sha256:" + "2" * 64)


def rooms(template: Template) -> None:
    """Another key, another threshold, and one more thing that a role may do."""
    table = resource(template, TABLE)["Properties"]
    stage = table["TableName"].split("-")[3]
    table["KeySchema"][0]["AttributeName"] = "code"
    resource(template, ALARM)["Properties"]["Threshold"] = 7
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": f"hima-five-bomber-{stage}-all"}
    resource(template, POLICY)["Properties"]["PolicyDocument"]["Statement"].append(allow)


def web(template: Template) -> None:
    """No bucket for the page."""
    del template["Resources"][logical_id(template, BUCKET)]


def registry(template: Template) -> None:
    """The images are no longer kept, and an output has gone."""
    resource(template, REPOSITORY)["DeletionPolicy"] = "Delete"
    template["Outputs"].popitem()


def quiz() -> Template:
    role: Template = {"AssumeRolePolicyDocument": {"Statement": []}}
    return {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": role}}}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Changes:
    """What a commit does that changes something of every kind."""
    root = state(tmp_path_factory.mktemp("project"), lock={"dev": PIN})
    base = repository(root)
    edits = {"rooms-dev": rooms, "rooms-prd": rooms, "web-dev": web, "web-prd": web}
    edits |= {"registry-prd": registry, "rooms-local": rooms}
    state(root, edits=edits, lock={"dev": NEXT, "prd": PIN, "local": PIN})
    snapshot(root, "quiz-dev").write_text(json.dumps(quiz()))
    commit(root)
    return find_changes(project(root), base, "HEAD")


def stack(changes: Changes, name: str) -> StageStackChange:
    (one,) = (one for one in changes.stacks if f"{one.stack}-{one.stage}" == name)
    return one


def told(changes: Changes, name: str, kind: str) -> ResourceChange:
    return next(one for one in stack(changes, name).resources if one.type == kind)


def test_every_stack_that_is_deployed_is_told(found: Changes) -> None:
    assert {f"{one.stack}-{one.stage}": one.status for one in found.stacks} == {
        "delivery-dev": "same",
        "delivery-prd": "same",
        "quiz-dev": "added",
        "registry-dev": "same",
        "registry-prd": "changed",
        "rooms-dev": "changed",
        "rooms-prd": "changed",
        "web-dev": "changed",
        "web-prd": "changed",
    }


def test_a_table_with_another_key_is_replaced(found: Changes) -> None:
    table = told(found, "rooms-dev", TABLE)
    assert table.kind == "replaced"
    (value,) = table.values
    assert (value.path, value.old, value.new, value.replaces) == (
        "KeySchema[0].AttributeName",
        '"roomId"',
        '"code"',
        True,
    )
    for stage, kept_by in (("dev", None), ("prd", "UpdateReplacePolicy Retain")):
        (danger,) = stack(found, f"rooms-{stage}").dangers
        assert (danger.type, danger.kind, danger.kept_by) == (TABLE, "replaced", kept_by)
        assert danger.fixed_name


def test_an_alarm_is_changed_in_place(found: Changes) -> None:
    alarm = told(found, "rooms-prd", ALARM)
    assert (alarm.kind, [(one.path, one.new) for one in alarm.values]) == (
        "changed",
        [("Threshold", "7")],
    )
    assert not alarm.values[0].replaces


def test_a_statement_more_is_told(found: Changes) -> None:
    (one,) = stack(found, "rooms-dev").permissions
    assert (one.added, one.wider, one.effect) == (True, True, "Allow")
    assert (one.what, one.on) == (("s3:*",), ("hima-five-bomber-dev-all",))


def test_a_bucket_that_goes_is_lost_or_left_behind(found: Changes) -> None:
    buckets = {stage: told(found, f"web-{stage}", BUCKET).kind for stage in ("dev", "prd")}
    assert buckets == {"dev": "removed", "prd": "left behind"}
    (lost,), (kept,) = (stack(found, f"web-{stage}").dangers for stage in ("dev", "prd"))
    assert (lost.kind, lost.kept_by) == ("removed", None)
    assert (kept.kind, kept.kept_by) == ("left behind", "DeletionPolicy Retain")


def test_a_protection_that_goes_and_an_output_are_told(found: Changes) -> None:
    one = stack(found, "registry-prd")
    (danger,) = one.dangers
    assert (danger.kind, danger.lost_protections) == ("unprotected", ("DeletionPolicy",))
    assert [(value.path.split(".")[0], value.new) for value in one.others] == [("Outputs", None)]


def test_everything_of_a_new_stack_is_added(found: Changes) -> None:
    one = stack(found, "quiz-dev")
    assert [(each.logical_id, each.kind) for each in one.resources] == [("Role", "added")]
    assert one.dangers == ()


def test_the_worst_comes_first(found: Changes) -> None:
    kinds = [one.kind for one in stack(found, "rooms-dev").resources]
    assert kinds == ["replaced", "changed", "changed"]


def test_images_are_compared_but_for_the_stage_that_is_never_deployed(found: Changes) -> None:
    assert [(one.stage, one.old, one.new, one.promoted_from) for one in found.images] == [
        ("dev", PIN, NEXT, None),
        ("prd", None, PIN, "dev"),
    ]


def test_where_nothing_changes_nothing_is_told(tmp_path: Path) -> None:
    for side in ("before", "after"):
        state(tmp_path / side, lock={"dev": PIN})
    snapshot(tmp_path / "after", "rooms-dev").write_text(
        json.dumps(json.loads(snapshot(tmp_path / "before", "rooms-dev").read_text()))
    )
    found = find_changes(project(tmp_path), "before", "after")
    assert {one.status for one in found.stacks} == {"same"}
    assert found.images == ()


@pytest.mark.proof
def test_the_odd_cases(tmp_path: Path) -> None:
    """Together, since each comparison starts Node."""

    def odd(template: Template) -> None:
        with_topic(template)
        resources: Any = template["Resources"]
        resource(template, BUCKET)["Properties"]["NobodyKnowsIt"] = 1
        resource(template, "AWS::CloudFront::CachePolicy")["Properties"]["Other"] = 1
        distribution = resource(template, "AWS::CloudFront::Distribution")["Properties"]
        distribution["DistributionConfig"]["Comment"] = 0
        log = resource(template, "AWS::Logs::LogGroup")
        log["Type"] = "AWS::SQS::Queue"
        resources["Topic"]["Properties"]["TopicName"] = "two"

    def with_topic(template: Template) -> None:
        distribution = resource(template, "AWS::CloudFront::Distribution")["Properties"]
        distribution["DistributionConfig"]["Comment"] = ""
        template["Resources"] |= {
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "one"}},
            "Told": {
                "Type": "AWS::SNS::Subscription",
                "Properties": {"Protocol": "sms", "TopicArn": {"Ref": "Topic"}},
            },
        }

    before = state(tmp_path / "before", edits={"web-dev": with_topic})
    after = state(tmp_path / "after", edits={"web-dev": odd})
    snapshot(after, "web-prd").write_text("[]")
    snapshot(after, "rooms-prd").unlink()
    policy = {"Type": "AWS::IAM::Policy", "Properties": {"Roles": ["R"]}}
    snapshot(after, "registry-dev").write_text(json.dumps({"Resources": {"A": policy}}))
    (before / "image-lock.json").write_text("nonsense")
    found = find_changes(project(tmp_path), "before", "after")

    # CDK's data does not know the property, so nobody can say what it does to a bucket.
    assert told(found, "web-dev", BUCKET).kind == "may be replaced"
    assert told(found, "web-dev", "AWS::CloudFront::CachePolicy").kind == "changed"
    # CDK takes an empty text and 0 for the same.
    (value,) = told(found, "web-dev", "AWS::CloudFront::Distribution").values
    assert (value.old, value.new) == ('""', "0")
    log = told(found, "web-dev", "AWS::Logs::LogGroup")
    assert (log.kind, log.new_type) == ("replaced", "AWS::SQS::Queue")

    subscription = told(found, "web-dev", "AWS::SNS::Subscription")
    assert (subscription.kind, [one.replaces for one in subscription.values]) == (
        "replaced",
        [True],
    )
    assert subscription.values[0].old == subscription.values[0].new == '{"Ref":"Topic"}'

    assert stack(found, "web-prd").why == "after the change: it is not a JSON object"
    assert stack(found, "registry-dev").why == "CDK cannot compare it"
    removed = stack(found, "rooms-prd")
    assert removed.status == "removed"
    assert {one.kind for one in removed.resources} == {"removed", "left behind"}
    assert TABLE in {one.type for one in removed.dangers}
    assert found.lock_unreadable == "before the change: it is not valid JSON"
    assert found.images == ()


def test_pins_that_stay_are_not_told() -> None:
    assert not list(image_changes({"dev": PIN}, {"dev": PIN}))


def test_pins_that_come_go_or_change_are_told_by_stage() -> None:
    found = image_changes({"prd": PIN, "old": PIN}, {"prd": NEXT, "dev": NEXT})
    assert [(one.stage, one.old, one.new) for one in found] == [
        ("dev", None, NEXT),
        ("old", PIN, None),
        ("prd", PIN, NEXT),
    ]


def test_an_image_that_another_stage_has_had_is_promoted() -> None:
    (one,) = image_changes({"dev": NEXT, "prd": PIN}, {"dev": NEXT, "prd": NEXT})
    assert one.promoted_from == "dev"
    (new,) = image_changes({"dev": PIN}, {"dev": NEXT})
    assert new.promoted_from is None


def test_the_image_that_a_stage_has_already_is_not_promoted() -> None:
    later = msgspec.structs.replace(PIN, pinned_at="2026-02-02T00:00:00Z")
    (one,) = image_changes({"dev": PIN, "prd": PIN}, {"dev": PIN, "prd": later})
    assert one.promoted_from is None


def rename(root: Path, old: str, new: str) -> None:
    """Give a stage another name, in the names of its snapshots and in all that they name."""
    for path in sorted((root / SNAPSHOTS).glob(f"*-{old}].json")):
        text = path.read_text(encoding="utf-8")
        name = path.name.replace(f"-{old}]", f"-{new}]")
        path.with_name(name).write_text(
            text.replace(f"bomber-{old}", f"bomber-{new}").replace(f"/{old}/", f"/{new}/"),
            encoding="utf-8",
        )
        path.unlink()


@pytest.mark.proof
@pytest.mark.parametrize(("stage", "kept_by"), [("dev", None), ("prd", "DeletionPolicy Retain")])
def test_a_renamed_stage_leaves_its_rooms_in_a_table_that_nothing_reads(
    tmp_path: Path, stage: str, kept_by: str | None
) -> None:
    base, head = state(tmp_path / "base"), state(tmp_path / "head")
    rename(head, stage, "quiz")
    changes = find_changes(project(base), str(base), str(head))
    dangers = stack(changes, f"rooms-{stage}").dangers
    (table,) = (one for one in dangers if one.type == TABLE)
    assert (table.name, table.kept_by) == (f"hima-five-bomber-{stage}-rooms", kept_by)
    assert table.empty_one == "hima-five-bomber-quiz-rooms"
    assert "what is in `hima-five-bomber-" in as_markdown(changes)


@pytest.mark.proof
def test_a_table_with_another_name_leaves_its_rooms_behind(tmp_path: Path) -> None:
    def other_name(template: Template) -> None:
        resource(template, TABLE)["Properties"]["TableName"] = "another"

    base, head = state(tmp_path / "base"), state(tmp_path / "head", edits={"rooms-prd": other_name})
    changes = find_changes(project(base), str(base), str(head))
    (table,) = stack(changes, "rooms-prd").dangers
    assert (table.kind, table.name) == ("replaced", "hima-five-bomber-prd-rooms")
    assert table.empty_one == "another"


@pytest.mark.proof
def test_another_expiry_of_our_table_is_told_in_red(tmp_path: Path) -> None:
    def other_expiry(template: Template) -> None:
        table = resource(template, TABLE)["Properties"]
        table["TimeToLiveSpecification"]["AttributeName"] = "endsAt"

    base = state(tmp_path / "base")
    head = state(tmp_path / "head", edits={"rooms-prd": other_expiry})
    changes = find_changes(project(base), str(base), str(head))
    (table,) = stack(changes, "rooms-prd").dangers
    assert table.kind == "loses data"
    said = as_markdown(changes)
    assert said.startswith("1 resource changes at prd; **1 stateful resource loses stored data**.")
    assert "AWS refuses it in one update" in said
    assert "nothing stateful" not in said


@pytest.mark.proof
def test_two_stages_that_come_leave_open_which_one_takes_the_place(tmp_path: Path) -> None:
    base, head = state(tmp_path / "base"), state(tmp_path / "head")
    rename(head, "dev", "quiz")
    rename(head, "prd", "live")
    changes = find_changes(project(base), str(base), str(head))
    assert all(one.empty_one is None for one in stack(changes, "rooms-dev").dangers)
