"""SARIF, held to its schema and to what GitHub's code scanning asks of it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft4Validator

from imagecheck import __version__
from imagecheck.finding import Finding
from imagecheck.ignore import Ignored
from imagecheck.report import ProjectFiles, as_sarif
from imagecheck.rules import BY_ID
from tests.support.cdk_context import ROOT
from tests.support.imagecheck.findings import error, warning
from tests.support.imagecheck.reports import ERROR, EVIL, WARNING, report

SCHEMA = ROOT / "tests/node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"


def log(*findings: Finding, places: ProjectFiles | None = None, **more: Any) -> dict[str, Any]:
    """The log of these findings; whatever they are, it is valid."""
    of = replace(report(*findings), **more)
    found: dict[str, Any] = json.loads(as_sarif(of, places or ProjectFiles()))
    schema = json.loads(SCHEMA.read_bytes())
    Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER).validate(found)
    return found


def results(*findings: Finding, **more: Any) -> list[dict[str, Any]]:
    (run,) = log(*findings, **more)["runs"]
    return list(run["results"])


def place_of(result: dict[str, Any]) -> tuple[str, int]:
    (location,) = result["locations"]
    physical = location["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical["region"]["startLine"]


def test_every_rule_makes_a_valid_log_that_code_scanning_takes() -> None:
    (run,) = log(*(error(rule, "x", "y") for rule in BY_ID))["runs"]
    driver = run["tool"]["driver"]

    assert (driver["name"], driver["version"]) == ("lambda-image-check", __version__)
    assert [rule["id"] for rule in driver["rules"]] == list(BY_ID)
    for result in run["results"]:
        rule = driver["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["helpUri"].endswith(f"/docs/rules.md#{rule['id'].lower()}")
        assert result["message"]["text"]
        # Code scanning shows nothing that has no place.
        uri, line = place_of(result)
        assert uri
        assert line >= 1


def test_no_finding_is_a_valid_log_with_no_result() -> None:
    (run,) = log()["runs"]

    assert run["results"] == []


def test_severities_are_levels() -> None:
    assert [result["level"] for result in results(ERROR, WARNING)] == ["error", "warning"]


def test_a_finding_is_shown_beside_the_dockerfile_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lined = replace_line(WARNING, 7)
    places = ProjectFiles(dockerfile=tmp_path / "docker/Dockerfile", template=Path("t.json"))

    assert [place_of(result) for result in results(lined, ERROR, places=places)] == [
        ("docker/Dockerfile", 7),
        ("docker/Dockerfile", 1),
    ]


def test_what_the_template_says_is_shown_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    places = ProjectFiles(dockerfile=Path("Dockerfile"), template=Path("a b/t.json"))

    (of_template, of_image) = results(error("G1", "x", "y"), ERROR, places=places)

    assert place_of(of_template) == ("a%20b/t.json", 1)
    assert place_of(of_image) == ("Dockerfile", 1)


def test_without_a_file_the_image_is_the_place() -> None:
    (result,) = results(ERROR)

    assert place_of(result) == ("x", 1)
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "oci:x"


def test_a_file_elsewhere_is_an_absolute_uri(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    (result,) = results(ERROR, places=ProjectFiles(dockerfile=Path("/elsewhere/Dockerfile")))

    assert place_of(result) == ("file:///elsewhere/Dockerfile", 1)


def test_the_same_finding_of_the_next_image_has_the_same_fingerprint() -> None:
    def fingerprints(name: str) -> list[str]:
        found = json.loads(as_sarif(report(ERROR, WARNING, name=name), ProjectFiles()))
        return [
            one["partialFingerprints"]["lambdaImageCheck/v1"] for one in found["runs"][0]["results"]
        ]

    first = fingerprints("docker://h/rooms@sha256:" + "1" * 64)

    assert first == fingerprints("docker://h/rooms@sha256:" + "2" * 64)
    assert len(set(first)) == 2


def test_what_is_ignored_is_suppressed_with_its_reason() -> None:
    ignored = (Ignored(ERROR, "never loaded"), Ignored(WARNING, ""))
    found = results(warning("C13", "x", "y"), ignored=ignored)

    assert [result.get("suppressions", []) for result in found] == [
        [],
        [{"kind": "external", "status": "accepted", "justification": "never loaded"}],
        [{"kind": "external", "status": "accepted"}],
    ]


def test_what_was_not_checked_is_a_notification() -> None:
    (run,) = log()["runs"]
    (invocation,) = run["invocations"]

    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == (
        "not checked: the files of the image: not all of it could be read"
    )


def test_a_terminal_obeys_nothing_of_it() -> None:
    of = report(error("C6", EVIL, EVIL), architecture=EVIL, name=f"oci:{EVIL}")

    printed = as_sarif(of, ProjectFiles())

    assert all(c.isprintable() or c == "\n" for c in printed)
    assert EVIL in json.loads(printed)["runs"][0]["results"][0]["message"]["text"]


def replace_line(finding: Finding, line: int) -> Finding:
    return msgspec.structs.replace(finding, line=line)
