"""The stand-ins for GitHub's services are as strict as those."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from constructs.github_trust import AUDIENCE, ISSUER

from local.cloud import Cloud, emulated_cloud
from local.emulated_aws.server import ACCOUNT_ID
from tests.support.release.github_server import REPOSITORY, GithubServer
from tests.support.workflows.runner import Event, Job, StandInError
from tests.support.workflows.stand_ins import OWNER_ID, REPOSITORY_ID, Github, claims

OWNER, _, NAME = REPOSITORY.partition("/")
SUBJECT = f"repo:{OWNER}@{OWNER_ID}/{NAME}@{REPOSITORY_ID}"
ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/deploy"
PUSH = Event(name="push", ref="refs/heads/main", sha="HEAD")


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=A. Person", "-c", "user.email=person@example.com"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with emulated_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture
def github(tmp_path: Path, cloud: Cloud) -> Github:
    """A repository with one commit, and a run that has begun."""
    origin = tmp_path / "origin"
    (origin / "folder").mkdir(parents=True)
    (origin / "file").write_text("first")
    (origin / "folder/inner").write_text("inner")
    git(origin, "init", "--quiet", "--initial-branch=main")
    git(origin, "add", ".")
    git(origin, "commit", "--quiet", "--message=First")
    started = Github(
        origin=origin,
        artifacts=tmp_path / "artifacts",
        cloud=cloud,
        server=GithubServer(url="http://localhost:1", git=tmp_path / "git"),
        of_repository={"OF": "the repository", "ROLES": "{}"},
        of_environments={"prd": {"OF": "prd"}},
    )
    started.start()
    return started


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return make_job(tmp_path / "job")


def make_job(
    folder: Path,
    event: Event = PUSH,
    *,
    environment: str | None = None,
    permissions: dict[str, str] | None = None,
) -> Job:
    made = Job(
        name="job",
        definition={"permissions": permissions or {}},
        event=event,
        inputs={},
        workspace=folder / "workspace",
        temporary=folder / "temp",
        environment=environment,
        variables={},
        matrix={},
        needs={},
    )
    made.workspace.mkdir(parents=True)
    made.temporary.mkdir()
    return made


def checkout(github: Github, job: Job, **arguments: str) -> None:
    given = {"persist-credentials": "false"} | {
        name.replace("_", "-"): value for name, value in arguments.items()
    }
    github.action("actions/checkout", given, job)


def upload(github: Github, job: Job, path: str, **arguments: str) -> None:
    github.action("actions/upload-artifact", {"name": "it", "path": path, **arguments}, job)


def download(github: Github, job: Job, **arguments: str) -> None:
    given = {name.replace("_", "-"): value for name, value in arguments.items()}
    github.action("actions/download-artifact", given, job)


def files(folder: Path) -> list[str]:
    """The files that are there, but for git's own."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if ".git" not in path.parts)


def test_an_action_that_nothing_stands_in_for_is_an_error(github: Github, job: Job) -> None:
    with pytest.raises(AssertionError, match="nothing stands in for actions/cache"):
        github.action("actions/cache", {}, job)


@pytest.mark.parametrize(
    ("line", "is_left_out"),
    [
        ("make setup", True),
        ("sudo make build-tools userns", True),
        ("make test", True),
        ("make check", False),
        (".venv/bin/python -m release push dev", False),
    ],
)
def test_only_what_installs_or_tests_is_not_run(
    github: Github, job: Job, line: str, is_left_out: bool
) -> None:
    assert github.line(line, job) is is_left_out


def test_variables_of_an_environment_come_before_those_of_all(github: Github) -> None:
    assert github.variables("prd") == {"OF": "prd", "ROLES": "{}"}
    assert github.variables("dev") == github.variables(None)
    assert github.variables(None)["OF"] == "the repository"


def test_a_token_may_write_what_the_job_may(github: Github, tmp_path: Path) -> None:
    writes = {"contents": "read", "pull-requests": "write"}
    github.token(make_job(tmp_path / "one", permissions=writes))
    assert github.server.permissions == {"pull-requests"}
    github.token(make_job(tmp_path / "two"))
    assert github.server.permissions == set()


def test_a_step_has_no_credentials_of_this_machine(github: Github, job: Job) -> None:
    assert github.cloud.environment["AWS_SECRET_ACCESS_KEY"]
    given = github.process_environment(job)
    assert not [name for name in given if "KEY" in name or "TOKEN" in name]
    assert given["GITHUB_REPOSITORY"] == REPOSITORY


def test_a_checkout_is_of_the_commit_that_started_the_run(github: Github, tmp_path: Path) -> None:
    first = git(github.origin, "rev-parse", "HEAD")
    (github.origin / "file").write_text("second")
    git(github.origin, "commit", "--quiet", "--all", "--message=Second")
    job = make_job(tmp_path / "job", Event(name="push", ref="refs/heads/main", sha=first))
    checkout(github, job)
    assert files(job.workspace) == ["file", "folder/inner"]
    assert (job.workspace / "file").read_text() == "first"
    # Beside it, and only a part of it.
    checkout(
        github,
        job,
        ref="refs/heads/main",
        path="change",
        sparse_checkout="/file",
        sparse_checkout_cone_mode="false",
    )
    assert files(job.workspace / "change") == ["file"]
    assert (job.workspace / "change/file").read_text() == "second"
    assert (job.workspace / "file").read_text() == "first"


def test_a_part_is_a_folder_unless_it_is_told_otherwise(github: Github, job: Job) -> None:
    checkout(github, job, sparse_checkout="folder")
    assert files(job.workspace) == ["file", "folder/inner"]


@pytest.mark.parametrize("persist", [{}, {"persist-credentials": "true"}], ids=str)
def test_a_checkout_that_keeps_the_token_fails(
    github: Github, job: Job, persist: dict[str, str]
) -> None:
    with pytest.raises(StandInError, match="token"):
        github.action("actions/checkout", persist, job)
    assert files(job.workspace) == []


@pytest.mark.parametrize("ref", ["refs/pull/1/merge", "refs/pull/1/head", "their-commit"])
def test_the_code_of_a_fork_is_checked_out_with_rights_only_where_it_says_so(
    github: Github, tmp_path: Path, ref: str
) -> None:
    git(github.origin, "update-ref", "refs/pull/1/merge", "HEAD")
    git(github.origin, "update-ref", "refs/pull/1/head", "HEAD")
    git(github.origin, "tag", "their-commit")

    def opened(event: str, repository: str) -> Job:
        head = {"sha": "their-commit", "repo": {"full_name": repository}}
        payload = {"pull_request": {"head": head}}
        made = Event(name=event, ref="refs/heads/main", sha="HEAD", payload=payload)
        return make_job(tmp_path / f"{event}-{repository.replace('/', '-')}", made)

    fork = opened("pull_request_target", "stranger/rooms")
    with pytest.raises(StandInError, match="fork"):
        checkout(github, fork, ref=ref)
    checkout(github, fork, ref=ref, path="change", allow_unsafe_pr_checkout="true")
    checkout(github, opened("pull_request_target", REPOSITORY), ref=ref)
    checkout(github, opened("pull_request", "stranger/rooms"), ref=ref)


def test_an_artifact_keeps_neither_modes_nor_hidden_files(
    github: Github, job: Job, tmp_path: Path
) -> None:
    build = job.workspace / "build"
    (build / "deep").mkdir(parents=True)
    (build / ".hidden").mkdir()
    for name in ("program", "deep/file", ".hidden/file", "deep/.hidden"):
        (build / name).write_text(name)
        (build / name).chmod(0o755)
    upload(github, job, "build")
    other = make_job(tmp_path / "other")
    download(github, other, name="it", path="build")
    assert files(other.workspace) == ["build/deep/file", "build/program"]
    assert not os.access(other.workspace / "build/program", os.X_OK)


def test_a_file_is_uploaded_without_its_folder(github: Github, job: Job) -> None:
    (job.temporary / "news.md").write_text("news")
    upload(github, job, str(job.temporary / "news.md"))
    download(github, job, name="it", path="below")
    assert files(job.workspace) == ["below/news.md"]


def test_several_paths_are_uploaded_below_what_they_have_in_common(
    github: Github, job: Job
) -> None:
    (job.workspace / "build/image").mkdir(parents=True)
    for name in ("image/index.json", "record.json", "other"):
        (job.workspace / "build" / name).touch()
    upload(github, job, "build/image\nbuild/record.json\nbuild/missing\n")
    assert files(github.artifacts / "it") == ["image/index.json", "record.json"]


def test_an_artifact_is_replaced_only_where_it_says_so(github: Github, job: Job) -> None:
    for name in ("one", "two"):
        (job.workspace / name).write_text(name)
    upload(github, job, "one")
    with pytest.raises(StandInError, match="already"):
        upload(github, job, "two")
    upload(github, job, "two", overwrite="true")
    download(github, job, name="it", path="got")
    assert files(job.workspace / "got") == ["two"]


@pytest.mark.parametrize("path", ["missing", "empty", "only-hidden", ".hidden"])
def test_where_there_are_no_files_the_artifact_before_stays(
    github: Github, job: Job, path: str
) -> None:
    (job.workspace / "empty").mkdir()
    (job.workspace / "only-hidden").mkdir()
    for name in ("one", ".hidden", "only-hidden/.hidden"):
        (job.workspace / name).touch()
    upload(github, job, "one")
    upload(github, job, path, overwrite="true")
    with pytest.raises(StandInError, match="no files"):
        upload(github, job, path, **{"if-no-files-found": "error"})
    assert files(github.artifacts / "it") == ["one"]


def test_what_is_not_there_fails_by_name_and_not_by_pattern(github: Github, job: Job) -> None:
    with pytest.raises(StandInError, match="there is no artifact it"):
        download(github, job, name="it")
    download(github, job, pattern="it", merge_multiple="true")
    assert files(job.workspace) == []


def test_a_pattern_makes_a_folder_for_each_unless_it_is_told_not_to(
    github: Github, job: Job, tmp_path: Path
) -> None:
    (job.workspace / "one").touch()
    upload(github, job, "one")
    other = make_job(tmp_path / "other")
    download(github, other, pattern="i*")
    assert files(other.workspace) == ["it/one"]
    download(github, other, pattern="i*", merge_multiple="true")
    assert files(other.workspace) == ["it/one", "one"]


def test_artifacts_are_of_one_run(github: Github, job: Job) -> None:
    (job.workspace / "one").touch()
    upload(github, job, "one")
    github.start()
    with pytest.raises(StandInError, match="there is no artifact"):
        download(github, job, name="it")


@pytest.mark.parametrize(
    ("event", "ref", "environment", "about"),
    [
        ("push", "refs/tags/v1", "prd", "environment:prd"),
        ("pull_request", "refs/pull/1/merge", "prd", "environment:prd"),
        ("pull_request", "refs/pull/1/merge", None, "pull_request"),
        ("pull_request_target", "refs/heads/main", None, "ref:refs/heads/main"),
        ("push", "refs/tags/v1", None, "ref:refs/tags/v1"),
    ],
)
def test_a_token_says_which_job_it_is_of(
    tmp_path: Path, event: str, ref: str, environment: str | None, about: str
) -> None:
    job = make_job(tmp_path, Event(name=event, ref=ref, sha="HEAD"), environment=environment)
    said = claims(job)
    assert said["sub"] == f"{SUBJECT}:{about}"
    assert said["ref"] == ref
    assert said.get("environment") == environment


@pytest.fixture
def role(cloud: Cloud) -> Iterator[str]:
    """A role for jobs in environment prd."""
    iam = cloud.client("iam")
    of_token: dict[str, Any] = {
        f"{ISSUER}:aud": AUDIENCE,
        f"{ISSUER}:sub": f"{SUBJECT}:environment:prd",
    }
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/{ISSUER}"},
        "Condition": {"StringEquals": of_token},
    }
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=json.dumps(trust))
    yield ROLE
    iam.delete_role(RoleName="deploy")


def assume(github: Github, job: Job, role: str) -> None:
    given = {"role-to-assume": role, "aws-region": "ap-northeast-1"}
    github.action("aws-actions/configure-aws-credentials", given, job)


def test_a_job_gets_the_role_that_trusts_it(github: Github, role: str, tmp_path: Path) -> None:
    may_ask = {"id-token": "write"}
    trusted = make_job(tmp_path / "trusted", environment="prd", permissions=may_ask)
    assume(github, trusted, role)
    assert trusted.exported["AWS_SESSION_TOKEN"]
    assert trusted.exported["AWS_REGION"] == "ap-northeast-1"
    assert github.refused == []

    other = make_job(tmp_path / "other", environment="dev", permissions=may_ask)
    with pytest.raises(StandInError, match="not authorized to assume"):
        assume(github, other, role)
    assert github.refused == [role]
    assert other.exported == {}


@pytest.mark.parametrize(
    ("permissions", "role", "told"),
    [
        ({"contents": "read"}, ROLE, "id-token: write"),
        ({"id-token": "read"}, ROLE, "id-token: write"),
        # What `vars` says where nobody has set it.
        ({"id-token": "write"}, "", "no role"),
    ],
    ids=str,
)
def test_credentials_need_a_token_and_a_role(
    github: Github, tmp_path: Path, permissions: dict[str, str], role: str, told: str
) -> None:
    job = make_job(tmp_path / "asking", environment="prd", permissions=permissions)
    with pytest.raises(StandInError, match=told):
        assume(github, job, role)
    assert job.exported == {}
