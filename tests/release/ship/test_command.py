"""`ship` as it is called: what it refuses before anything is run."""

from functools import partial
from pathlib import Path

import pytest

from tests.support.release.checkout import Checkout, checkout, git
from tests.support.release.commanding import Run, runner


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    found = checkout(tmp_path / "checkout")
    monkeypatch.chdir(found.root)
    return found


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return partial(runner(monkeypatch, capsys), "ship")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "error: there is no stage 'nowhere' in cdk.json"),
        (["dev", "dev", "--yes"], "error: a stage is named twice"),
        (["dev", "prd", "--yes", "--no-commit"], "error: only a committed pin is promoted"),
        (
            ["dev", "--yes", "--no-commit", "--architecture", "x86_64"],
            "error: --architecture changes cdk.json, and only what is committed is shipped",
        ),
        (["dev"], "error: there is no terminal to ask on"),
        (["dev", "--json"], "error: there is no terminal to ask on"),
    ],
)
def test_what_cannot_be_meant_is_told_at_once(run: Run, arguments: list[str], said: str) -> None:
    status, out, err = run(*arguments)
    assert (status, out if "--json" not in arguments else "") == (2, "")
    assert err.startswith(said)


@pytest.mark.parametrize("options", [["--yes"], ["--dry-run"], ["--no-commit"]])
def test_uncommitted_changes_are_named_at_the_first_step(
    project: Checkout, run: Run, options: list[str]
) -> None:
    (project.root / "lambda_src/app.py").write_text("changed\n")
    (project.root / "lambda_src/new.py").write_text("new\n")

    status, out, err = run("dev", *options)

    assert (status, out) == (1, "")
    assert err == (
        "error: the work tree has uncommitted changes, so no commit would name what is released:"
        " lambda_src/app.py, lambda_src/new.py\n"
        "hint: commit them, or put them aside: git stash --include-untracked\n"
    )


def test_without_credentials_nothing_is_changed(
    project: Checkout, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(project.root.parent / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    head = project.commit

    status, out, err = run("dev", "--yes", "--architecture", "arm64")

    assert (status, out) == (2, "")
    assert "no AWS credentials are found" in err
    assert (project.commit, git(project.root, "status", "--porcelain")) == (head, "")
