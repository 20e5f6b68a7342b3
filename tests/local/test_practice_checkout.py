"""The practice checkout is a copy of this one for this machine, and touches nothing of it."""

import json
import subprocess
from pathlib import Path

import pytest

from imagecheck.errors import FailedError
from local.practice.checkout import make_practice_checkout
from tests.support.release.checkout import git

CDK_JSON = {
    "context": {
        "imageLock": "image-lock.json",
        "stages": {"dev": {"architecture": "arm64"}, "prd": {"architecture": "arm64"}},
    }
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A checkout with a pin, an edit that is in no commit, and what git ignores."""
    root = tmp_path / "source"
    (root / "config").mkdir(parents=True)
    (root / "config/function_libraries.py").write_text('PYTHON_VERSION: Final = "3.13"\n')
    (root / "cdk.json").write_text(json.dumps(CDK_JSON))
    (root / "image-lock.json").write_text('{"dev": {}}\n')
    (root / "deleted.txt").write_text("not for long\n")
    (root / ".gitignore").write_text("node_modules/\n.venv/\n.local/\n*.log\n")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-qm", "first")
    (root / "deleted.txt").unlink()
    (root / "new.txt").write_text("not committed yet\n")
    (root / "ignored.log").write_text("ignored\n")
    for name in (".venv", "node_modules"):
        (root / name).mkdir()
        (root / name / "installed").touch()
    return root


def make(source: Path) -> Path:
    folder = source / ".local/cloud/checkout"
    folder.parent.mkdir(parents=True, exist_ok=True)
    make_practice_checkout(source, folder, architecture="x86_64", python_version="3.11")
    return folder


def test_it_has_what_git_knows_or_would_add_with_its_times(source: Path) -> None:
    folder = make(source)
    assert (folder / "new.txt").stat().st_mtime_ns == (source / "new.txt").stat().st_mtime_ns
    assert not (folder / "ignored.log").exists()
    assert not (folder / "deleted.txt").exists()
    for name in (".venv", "node_modules"):
        assert (folder / name).resolve() == source / name
        assert (folder / name / "installed").exists()


def test_it_is_one_clean_commit_for_this_cpu_and_this_python_without_pins(source: Path) -> None:
    folder = make(source)
    assert git(folder, "status", "--porcelain") == ""
    assert len(git(folder, "log", "--format=%s").splitlines()) == 1
    stages = json.loads((folder / "cdk.json").read_text())["context"]["stages"]
    assert {settings["architecture"] for settings in stages.values()} == {"x86_64"}
    assert json.loads((folder / "image-lock.json").read_text()) == {}
    assert '"3.11"' in (folder / "config/function_libraries.py").read_text()


def test_the_original_is_as_it_was(source: Path) -> None:
    before = git(source, "status", "--porcelain"), git(source, "log", "--format=%H")
    folder = make(source)
    (folder / "image-lock.json").write_text('{"dev": "pinned"}\n')
    git(folder, "commit", "--all", "--message", "Pin dev")
    assert (git(source, "status", "--porcelain"), git(source, "log", "--format=%H")) == before
    assert json.loads((source / "image-lock.json").read_text()) == {"dev": {}}


def test_one_can_commit_in_it_without_a_name_and_without_a_key(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text("[commit]\n\tgpgSign = true\n[user]\n\tuseConfigOnly = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = make(source)
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "Pin dev")
    assert git(folder, "log", "-1", "--format=%an").strip() == "Practice"


def test_the_name_of_a_person_is_kept(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text("[user]\n\tname = Hima\n\temail = hima@example.com\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    assert git(make(source), "log", "-1", "--format=%an %ae").strip() == "Hima hima@example.com"


def test_the_one_before_moves_aside_with_its_edits(source: Path) -> None:
    for word in ("first", "second"):
        (make(source) / "edit.txt").write_text(word)
    folder = make(source)
    assert not (folder / "edit.txt").exists()
    assert (folder.with_name("checkout.before") / "edit.txt").read_text() == "second"


def test_without_git_it_says_so(source: Path) -> None:
    subprocess.run(["rm", "-r", str(source / ".git")], check=True)
    with pytest.raises(FailedError, match="git ls-files"):
        make(source)
