"""The command as people and pipelines run it."""

import json
import sys
from pathlib import Path

import pytest

from release.cli import main
from tests.support.cdk_context import CDK_JSON
from tests.support.release.states import PIN, Template, repository, resource, snapshot, state

ALARM = "AWS::CloudWatch::Alarm"
Printed = tuple[int, str, str]


def alarm(template: Template) -> None:
    resource(template, ALARM)["Properties"]["Threshold"] = 7


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one commit, in whose work tree nothing is changed; and in it."""
    root = state(tmp_path / "project")
    (root / "cdk.json").write_text(json.dumps(CDK_JSON))
    repository(root)
    monkeypatch.chdir(root)
    return root


def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> Printed:
    monkeypatch.setattr(sys, "argv", ["release", "changes", *arguments])
    status = main()
    printed = capsys.readouterr()
    assert "Traceback" not in printed.out + printed.err
    return status, printed.out, printed.err


@pytest.mark.usefixtures("root")
def test_a_work_tree_as_it_is_committed_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(monkeypatch, capsys, "HEAD")
    assert (status, err) == (0, "")
    assert out == (
        "No deployed stack changes.\n\n- **dev**: nothing changes\n- **prd**: nothing changes\n"
    )


@pytest.mark.proof
def test_a_folder_is_compared_to_the_commit(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    edits = {"rooms-dev": alarm, "rooms-prd": alarm}
    theirs = state(root.parent / "theirs", edits=edits, lock={"dev": PIN})
    status, out, _ = run(monkeypatch, capsys, "HEAD", str(theirs))
    assert status == 0
    assert out.startswith(
        "1 resource changes at dev and prd; nothing stateful is replaced or removed;"
        " the image changes at `dev`.\n"
    )
    assert "  - `Threshold`: `1` → `7`\n" in out


def test_json_has_the_data_and_the_headline(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = state(root.parent / "theirs", lock={"dev\u202e\x7f": PIN})
    status, out, _ = run(monkeypatch, capsys, ".", str(theirs), "--json")
    document = json.loads(out)
    assert status == 0
    assert document["headline"].startswith("No deployed stack changes; the image changes")
    assert document["images"][0]["stage"] == "dev\u202e\x7f"
    assert {one["status"] for one in document["stacks"]} == {"same"}
    assert all(c.isprintable() or c == "\n" for c in out)


def test_a_stack_that_cannot_be_compared_is_told_and_is_no_failure(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot(root, "web-prd").write_text("secret")
    status, out, _ = run(monkeypatch, capsys, "HEAD")
    assert status == 0
    assert "> - **web at prd cannot be compared**, after the change: it is not valid JSON\n" in out
    assert "secret" not in out


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("arguments", [["--", "--all"], ["nowhere"], ["HEAD", "nowhere"], [""]])
def test_what_cannot_be_found_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    status, out, err = run(monkeypatch, capsys, *arguments)
    assert (status, out) == (2, "")
    assert "is neither a folder nor a" in err
