"""CDK's own comparison of templates."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from imagecheck.errors import FailedError
from release.pipeline.changes.committed import SNAPSHOTS
from release.pipeline.changes.template_diff import compare_templates
from tests.support.cdk_context import ROOT


def template(**resources: Any) -> dict[str, Any]:
    return {"Resources": resources}


def group(*rules: dict[str, Any]) -> dict[str, Any]:
    properties = {"GroupDescription": "g", "SecurityGroupIngress": list(rules)}
    return {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}


def role(**properties: Any) -> dict[str, Any]:
    document = {"Statement": properties.pop("trust", [])}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": document, **properties},
    }


def test_pairs_are_answered_in_order_and_one_that_makes_no_sense_is_none() -> None:
    rooms = json.loads((ROOT / SNAPSHOTS / "test_template[rooms-dev].json").read_text())
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
    trust = {
        "Effect": "Allow",
        "NotPrincipal": {"AWS": "*"},
        "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"a": "b"}},
    }
    policy = {"Type": "AWS::IAM::Policy", "Properties": {"Roles": ["R"], "PolicyName": "p"}}
    answers = compare_templates(
        [
            (rooms, rooms),
            (template(A=policy), template()),
            (template(G=group()), template(G=group(ssh))),
            (template(R=role()), template(R=role(trust=[trust], ManagedPolicyArns=["arn:p"]))),
            (template(R=role(trust=[trust])), template(R=role())),
            (template(B={"Type": "__proto__"}), template(B={"Type": "toString"})),
            (template(), template(B={"Type": "AWS::S3::Bucket"})),
        ]
    )
    same, no_sense, rules, trusts, gone, _odd_types, added = answers
    assert same
    assert same.resources == {}
    assert no_sense is None
    assert rules
    (rule,) = rules.inbound_rules
    assert (rule.added, rule.peer, rule.protocol) == (True, "Everyone (IPv4)", "TCP 22")
    assert trusts
    (statement,) = trusts.statements
    assert (statement.added, statement.effect) == (True, "Allow")
    assert statement.principals == ("all but AWS:*",)
    assert statement.actions == ("sts:AssumeRole",)
    assert json.loads(statement.condition) == {"Bool": {"a": "b"}}
    assert [(one.added, one.policy) for one in trusts.managed_policies] == [(True, "arn:p")]
    assert gone
    assert [one.added for one in gone.statements] == [False]
    assert added
    assert added.resources["B"].impact == "WILL_CREATE"


def test_nothing_to_compare_needs_no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("release.pipeline.changes.template_diff.cdk_environment", dict)
    assert compare_templates([]) == []


def test_without_node_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "release.pipeline.changes.template_diff.cdk_environment", lambda: {"PATH": str(tmp_path)}
    )
    with pytest.raises(FailedError, match="node is not installed") as told:
        compare_templates([(template(), template())])
    assert told.value.hint == "make setup"


def test_without_the_package_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = ROOT / "release/pipeline/changes/template_diff.mjs"
    elsewhere = tmp_path / "template_diff.mjs"
    elsewhere.write_text(program.read_text())
    monkeypatch.setattr("release.pipeline.changes.template_diff._PROGRAM", elsewhere)
    with pytest.raises(FailedError, match="cloudformation-diff is not installed") as told:
        compare_templates([(template(), template())])
    assert told.value.hint == "make setup"


@pytest.mark.parametrize("answer", ["", "secret", "[]", "{}", "[1, 2]"])
def test_an_answer_that_is_none_is_told_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    program = tmp_path / "program.mjs"
    program.write_text(f"process.stdout.write({json.dumps(answer)}); process.exit(3)")
    monkeypatch.setattr("release.pipeline.changes.template_diff._PROGRAM", program)
    with pytest.raises(FailedError, match="CDK's comparison") as told:
        compare_templates([(template(), template())])
    assert "secret" not in str(told.value)


@pytest.mark.proof
def test_a_comparison_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program.mjs"
    program.write_text("setInterval(() => {}, 1000)")
    monkeypatch.setattr("release.pipeline.changes.template_diff._PROGRAM", program)
    monkeypatch.setattr("release.pipeline.changes.template_diff._TIMEOUT_SECONDS", 0.5)
    with pytest.raises(FailedError, match="comparing the templates"):
        compare_templates([(template(), template())])
    assert not running(program)


def running(program: Path) -> list[str]:
    """Return the processes that were started with a program."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(program).encode() in process.read_bytes():
                found.append(process.parent.name)
    return found
