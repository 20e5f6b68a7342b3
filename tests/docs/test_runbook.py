"""The runbook and incident.md are right about alarms, costs, tearing down and rules."""

import json
import re
from typing import Any

import pytest

from imagecheck.rules import BY_ID
from tests.support.cdk_context import CDK_JSON, ROOT
from tests.support.documents import document

SNAPSHOTS = ROOT / "tests/stacks/__snapshots__/test_snapshots"
PREFIX = "hima-five-bomber-dev-"


def resources(stack: str, stage: str) -> list[dict[str, Any]]:
    """The resources of a stack, as the committed template has them."""
    template = (SNAPSHOTS / f"test_template[{stack}-{stage}].json").read_text(encoding="utf-8")
    return list(json.loads(template)["Resources"].values())


def of_rooms(kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in resources("rooms", "dev") if one["Type"] == kind]


def alarms() -> dict[str, dict[str, Any]]:
    """The alarms of a stage, by their name; the number of the new version is N."""
    return {name_of(alarm["AlarmName"]): alarm for alarm in of_rooms("AWS::CloudWatch::Alarm")}


def alarms_of_guard() -> list[str]:
    """The names of the alarms that a stage with a limit for each client has beside them."""
    text = (SNAPSHOTS / "test_guard_template[prd].json").read_text(encoding="utf-8")
    found = json.loads(text)["Resources"].values()
    names = [each["Properties"]["AlarmName"] for each in found if each["Type"].endswith("::Alarm")]
    return [name.removeprefix("hima-five-bomber-prd-guard-") for name in names]


def name_of(name: Any) -> str:
    written = name if isinstance(name, str) else f"{name['Fn::Join'][1][0]}N"
    return str(written).removeprefix(PREFIX)


def test_every_alarm_has_a_section_and_every_section_an_alarm() -> None:
    text = document("docs/runbook.md").text
    chapter = re.search(r"^## An alarm fired\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    assert chapter
    headings = re.findall(r"^### (.+)$", chapter[1], re.MULTILINE)

    named = sorted(name for heading in headings for name in heading.split(", "))
    assert named == sorted([*alarms(), *alarms_of_guard()])


def test_the_architecture_counts_them() -> None:
    text = document("docs/architecture.md").text
    waking = [alarm for alarm in alarms().values() if "AlarmActions" in alarm]

    assert f"{len(alarms())} alarms" in text
    assert f"{len(waking)} of them" in text
    assert f"{len(alarms()) - len(waking)}, of the new version" in text


def test_what_it_says_of_the_costs_is_in_the_template() -> None:
    metrics = sum(
        len([one for one in alarm.get("Metrics", []) if "MetricStat" in one]) or 1
        for alarm in alarms().values()
    )
    filters = of_rooms("AWS::Logs::MetricFilter")

    text = document("docs/runbook.md").text
    assert f"{len(alarms())} alarms over {metrics} metrics" in text
    assert f"{len(filters)} metric filters" in text
    assert f"{len(of_rooms('AWS::CloudWatch::Dashboard'))} dashboard" in text
    assert f"{len(alarms())} alarms ({metrics} metrics)" in document("README.md").text


@pytest.mark.parametrize(("stage", "stays"), [("dev", False), ("prd", True)])
def test_what_it_says_of_tearing_down_is_in_the_templates(stage: str, stays: bool) -> None:
    policies = {
        kind: resource.get("DeletionPolicy", "Delete") == "Retain"
        for stack in ("rooms", "registry")
        for kind in ("AWS::DynamoDB::Table", "AWS::ECR::Repository", "AWS::Logs::LogGroup")
        for resource in resources(stack, stage)
        if resource["Type"] == kind
    }
    buckets = [one for one in resources("web", stage) if one["Type"] == "AWS::S3::Bucket"]

    assert policies == {
        "AWS::DynamoDB::Table": stays,
        "AWS::ECR::Repository": stays,
        "AWS::Logs::LogGroup": False,
    }
    kept = [one for one in buckets if one["DeletionPolicy"] == "Retain"]
    assert (len(buckets), len(kept)) == (2, int(stays))
    assert CDK_JSON["context"]["stages"][stage]["retainData"] is stays


def test_the_comparison_calls_the_rules_as_they_are_called_today() -> None:
    rows = re.findall(r"^\| ([A-H]\d+) \| ([^|]+?) \|", document("docs/incident.md").text, re.M)

    assert len(rows) > 30
    assert [(id_, BY_ID[id_].title) for id_, _ in rows] == rows
