"""`release diff`: the CDK CLI's own diff, for a person and for a comment."""

import json
import re
from functools import partial
from pathlib import Path

import pytest

from release.commands.diff import as_markdown
from tests.support.cdk_context import CDK_JSON
from tests.support.release.commanding import Run, runner

SAID = """Stack hima-five-bomber-dev-rooms
Resources
[~] AWS::DynamoDB::Table Table Table710B521B replace

✨  Number of stacks with differences: 1"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose CDK CLI says SAID, and notes how it was called."""
    (tmp_path / "cdk.json").write_text(json.dumps(CDK_JSON))
    (tmp_path / "said").write_text(SAID)
    cdk = tmp_path / "node_modules/.bin/cdk"
    cdk.parent.mkdir(parents=True)
    cdk.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > called; cat said >&2\n')
    cdk.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return partial(runner(monkeypatch, capsys), "diff")


def called(project: Path) -> list[str]:
    lines = (project / "called").read_text().splitlines()
    return lines[lines.index("diff") :]


def test_what_is_here_is_compared_without_a_change_set(project: Path, run: Run) -> None:
    status, out, _ = run("dev")

    assert (status, out) == (0, f"{SAID}\n")
    assert called(project) == [
        "diff",
        "hima-five-bomber-dev-*",
        "--method=template",
        "--context=stage=dev",
    ]


def test_an_assembly_is_compared_as_it_is(project: Path, run: Run) -> None:
    run("dev", "--assembly", "build/assembly")

    assert called(project)[3:] == [f"--app={project}/build/assembly"]


def test_as_a_comment(project: Path, run: Run) -> None:
    assert project
    status, out, _ = run("dev", "--markdown")

    assert status == 0
    assert out.splitlines()[0] == "**Deploying this to `dev` now: 1 stack would change**"
    assert f"\n```\n{SAID}\n```\n" in out


def test_nothing_changes() -> None:
    said = "✨  Number of stacks with differences: 0"
    assert "**Deploying this to `dev` now: no change**" in as_markdown("dev", said)


@pytest.mark.parametrize("said", ["```\n<b>@all</b>", "a ````` b", "\x1b[31mred", "`"])
def test_nothing_gets_out_of_the_fence(said: str) -> None:
    fence, text = re.findall(r"\n(`{3,})\n(.*)\n\1\n", as_markdown("dev", said), re.DOTALL)[0]

    assert fence not in text
    assert "\x1b" not in text
    assert len(fence) >= 3


def test_what_the_cdk_says_against_it_is_told(project: Path, run: Run) -> None:
    (project / "node_modules/.bin/cdk").write_text("#!/bin/sh\necho expired; exit 1\n")

    status, out, err = run("dev")

    assert (status, out) == (2, "")
    assert "`cdk diff` failed" in err
    assert "expired" in err
