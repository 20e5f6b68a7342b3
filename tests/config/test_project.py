"""The checkout that commands work on."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from config.project import Project, now, project_here
from config.settings import ConfigurationError
from imagecheck.errors import FailedError
from tests.support.cdk_context import CDK_JSON, ROOT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A checkout with one commit, and in it."""
    (tmp_path / "cdk.json").write_text(json.dumps(CDK_JSON))
    (tmp_path / "image-lock.json").write_text("{}\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=first")
    monkeypatch.chdir(tmp_path)
    return project_here()


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def test_stages_are_those_of_cdk_json(project: Project) -> None:
    dev = project.stage("dev")
    assert (dev.name, dev.names.repository) == ("dev", "hima-five-bomber-dev-rooms")
    assert dev.settings.architecture == "arm64"
    project.context["stages"]["dev"]["table"] = "restored"
    assert project.stage("dev").names.table == "restored"
    with pytest.raises(ConfigurationError, match="no stage 'devel'") as error:
        project.stage("devel")
    assert error.value.hint == "did you mean 'dev'? stages: local, dev, prd"


def test_a_stage_has_one_client_for_each_service(project: Project) -> None:
    project.context["stages"]["dev"]["region"] = "eu-west-1"
    dev = project.stage("dev")
    assert dev.client("ecr") is dev.client("ecr")
    assert dev.client("ssm") is not dev.client("ecr")
    assert dev.client("ecr").meta.region_name == "eu-west-1"


def test_the_lock_is_where_cdk_json_says(project: Project) -> None:
    assert project.lock == project.root / "image-lock.json"


@pytest.mark.parametrize(("context", "packaging"), [({"packaging": "zip"}, "zip"), ({}, "image")])
def test_packaging_is_what_cdk_json_says(
    tmp_path: Path, context: dict[str, str], packaging: str
) -> None:
    assert Project(tmp_path, context).packaging == packaging


def test_a_clean_tree_is_its_commit(project: Project) -> None:
    assert project.revision() == (git(project.root, "rev-parse", "HEAD").strip(), False)


@pytest.mark.parametrize("change", ["cdk.json", "new.py"])
def test_a_change_makes_the_tree_dirty(project: Project, change: str) -> None:
    with (project.root / change).open("a") as file:
        file.write(" ")
    assert project.revision().dirty


def test_the_lock_file_makes_nothing_dirty(project: Project) -> None:
    (project.root / "image-lock.json").write_text('{"dev": {}}')
    assert not project.revision().dirty


def test_elsewhere_there_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FailedError, match=r"no cdk\.json in this folder") as error:
        project_here()
    assert error.value.hint == "run this in the root of the checkout"


@pytest.mark.parametrize(
    "content", ["{}", "[]", "", "nonsense", '{"context": {"stages": {}}}', '{"a":' * 100_000]
)
def test_the_cdk_json_of_another_project_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (tmp_path / "cdk.json").write_text(content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FailedError, match=r"is not the cdk\.json of this project"):
        project_here()


def test_a_folder_without_git_has_no_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    project = Project(tmp_path, CDK_JSON["context"])
    with pytest.raises(FailedError, match="git cannot tell which commit this is"):
        project.revision()


def test_without_git_there_is_no_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FailedError, match="git is not installed"):
        Project(ROOT, CDK_JSON["context"]).revision()


def test_now_is_a_time_that_a_lock_takes() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", now())
