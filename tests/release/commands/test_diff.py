"""`release diff`: the CDK CLI's own diff, for a person and for a comment."""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from config.image_lock import read_image_lock, write_image_lock
from config.project import Project
from release.cloud_assembly import assembly_of
from release.commands.diff import as_markdown
from tests.support.cdk_context import CDK_JSON, PINNED, ROOT
from tests.support.release.commanding import Run, runner
from tests.support.release.emulated_ecr import use_credentials_of_nobody

SAID = """Stack hima-five-bomber-dev-rooms
Resources
[~] AWS::DynamoDB::Table Table Table710B521B replace

✨  Number of stacks with differences: 1"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project whose CDK CLI says SAID, and notes how it was called and where it is to go."""
    use_credentials_of_nobody(tmp_path, monkeypatch)
    (tmp_path / "cdk.json").write_text(json.dumps(CDK_JSON))
    (tmp_path / "image-lock.json").write_text("{}")
    (tmp_path / "said").write_text(SAID)
    cdk = tmp_path / "node_modules/.bin/cdk"
    cdk.parent.mkdir(parents=True)
    cdk.write_text(
        "#!/bin/sh\n"
        'for a in "$@"; do case "$a" in --output=*) mkdir "${a#--output=}"; cd "${a#--output=}";'
        " echo {} > manifest.json; echo >> ../../synths; exit;; esac; done\n"
        'printf "%s\\n" "$@" > called; echo $AWS_REGION > where; cat said >&2\n'
    )
    cdk.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with mock_aws():
        yield tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return partial(runner(monkeypatch, capsys), "diff")


def assembly(project: Path, region: str) -> None:
    """Write the manifest of an assembly, as a synth for this Region does."""
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://unknown-account/{region}",
    }
    other = {**stack, "environment": "aws://unknown-account/mars-north-1"}
    artifacts = {
        "hima-five-bomber-prd-rooms": other,
        "hima-five-bomber-dev-rooms": stack,
        "Tree": {"type": "cdk:tree"},
    }
    folder = project / "build/assembly"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))


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


def test_a_pinned_stage_is_compared_with_what_a_deployment_takes(project: Path, run: Run) -> None:
    pin = read_image_lock(ROOT / PINNED)["dev"]
    write_image_lock(project / "image-lock.json", {"dev": pin})

    assert run("dev")[0] == 0

    (option,) = called(project)[3:]
    found = Project(project, CDK_JSON["context"])
    assert option == f"--app={assembly_of(found, found.stage('dev'), pin).folder}"
    assert run("dev")[0] == 0
    assert len((project / "build/synths").read_text().splitlines()) == 1


def test_an_assembly_is_compared_as_it_is(project: Path, run: Run) -> None:
    assembly(project, "unknown-region")

    status, _, _ = run("dev", "--assembly", "build/assembly")

    assert status == 0
    assert called(project)[3:] == [f"--app={project}/build/assembly"]


def test_an_assembly_for_another_region_is_refused(project: Path, run: Run) -> None:
    """As where cdk.json has changed since the synth: the first line would be wrong."""
    assembly(project, "eu-west-1")

    status, out, err = run("dev", "--assembly", "build/assembly")

    assert (status, out) == (1, "")
    assert err.splitlines()[-2:] == [
        f"error: the cloud assembly in {project}/build/assembly was synthesized for eu-west-1, and"
        " dev is in ap-northeast-1",
        "hint: python -m release synth dev",
    ]
    assert not (project / "called").exists()


def test_the_cdk_cli_goes_where_the_first_line_says(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    cdk_json = json.loads((project / "cdk.json").read_text())
    cdk_json["context"]["stages"]["dev"]["region"] = "eu-west-1"
    (project / "cdk.json").write_text(json.dumps(cdk_json))
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    status, out, err = run("dev", "--json")

    assert status == 0
    assert err.splitlines()[0] == "dev: account 123456789012, Region eu-west-1"
    assert (project / "where").read_text() == "eu-west-1\n"
    answer = json.loads(out)
    assert (answer["account"], answer["region"]) == ("123456789012", "eu-west-1")


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


def deployed(stack: str, **outputs: str) -> None:
    """Deploy a stack with these outputs."""
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {name: {"Value": value} for name, value in outputs.items()},
    }
    client: Any = boto3.client("cloudformation", region_name="ap-northeast-1")
    client.create_stack(StackName=stack, TemplateBody=json.dumps(template))


def other_table(project: Path, name: str) -> None:
    cdk_json = json.loads((project / "cdk.json").read_text())
    cdk_json["context"]["stages"]["dev"]["table"] = name
    (project / "cdk.json").write_text(json.dumps(cdk_json))


def test_rooms_that_another_table_leaves_behind_are_told(project: Path, run: Run) -> None:
    deployed("hima-five-bomber-dev-rooms", ApiUrl="url", TableName="first")
    assert run("dev")[1].count("rooms that are live stay in first, which nobody reads then") == 1
    other_table(project, "first")
    assert "nobody reads" not in run("dev")[1]
    other_table(project, "second")
    said = "the table of dev changes from first to second: rooms that are live stay in first,"
    assert f"{SAID}\n\n{said}" in run("dev")[1]
    assert json.loads(run("dev", "--json")[1])["leftBehind"][0].startswith(said)
    assert f"> [!CAUTION]\n> {said}" in run("dev", "--markdown")[1]


@pytest.mark.proof
@pytest.mark.usefixtures("project")
def test_a_stage_that_may_have_had_another_name_is_told(run: Run) -> None:
    assert json.loads(run("dev", "--json")[1])["leftBehind"] == []
    deployed("hima-five-bomber-test-rooms", ApiUrl="url")
    assert "cdk.json has no stage test. If that is dev now" in run("dev")[1]
