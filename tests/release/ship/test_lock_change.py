"""What a release does to the lock file, and how it is taken back."""

from pathlib import Path

import pytest

from config.image_lock import write_pin
from imagecheck.errors import FailedError
from release.ship.lock_change import LockChange
from tests.support.release.checkout import PIN, Checkout, checkout, git


@pytest.fixture
def project(tmp_path: Path) -> Checkout:
    return checkout(tmp_path / "checkout")


def test_the_commit_has_the_lock_file_and_nothing_else(project: Checkout) -> None:
    change = LockChange(project.project)
    write_pin(project.lock, "dev", PIN)
    (project.root / "lambda_src/app.py").write_text("changed\n")
    git(project.root, "add", "lambda_src/app.py")
    assert not change.is_committed

    change.commit("Pin dev")

    assert change.is_committed
    assert git(project.root, "show", "--format=%s", "--name-only").split() == [
        "Pin", "dev", "image-lock.json",
    ]  # fmt: skip
    assert git(project.root, "diff", "--cached", "--name-only").split() == ["lambda_src/app.py"]


def test_all_of_it_is_taken_back(project: Checkout) -> None:
    head, before = project.commit, project.lock.read_bytes()
    change = LockChange(project.project)
    for stage in ("dev", "prd"):
        write_pin(project.lock, stage, PIN)
        change.commit(f"Pin {stage}")

    change.take_back()

    assert (project.commit, project.lock.read_bytes()) == (head, before)
    assert git(project.root, "status", "--porcelain") == ""


def test_a_pin_that_was_there_uncommitted_is_there_again(project: Checkout) -> None:
    write_pin(project.lock, "prd", PIN)
    before = project.lock.read_bytes()
    change = LockChange(project.project)
    write_pin(project.lock, "dev", PIN)
    change.commit("Pin dev")

    change.take_back()

    assert project.lock.read_bytes() == before
    assert git(project.root, "status", "--porcelain").split() == ["M", "image-lock.json"]


def test_what_is_kept_stays(project: Checkout) -> None:
    change = LockChange(project.project)
    write_pin(project.lock, "dev", PIN)
    change.commit("Pin dev")
    head = project.commit
    change.keep()
    write_pin(project.lock, "prd", PIN)

    change.take_back()

    assert project.commit == head
    assert change.is_committed


def test_somebody_elses_commit_is_not_undone(project: Checkout) -> None:
    before = project.lock.read_bytes()
    change = LockChange(project.project)
    write_pin(project.lock, "dev", PIN)
    change.commit("Pin dev")
    theirs = project.commit_all()

    change.take_back()

    assert project.commit == theirs
    assert project.lock.read_bytes() == before


def test_what_git_refuses_is_told(project: Checkout) -> None:
    hook = project.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'we do not commit on Fridays' >&2\nexit 1\n")
    hook.chmod(0o755)
    change = LockChange(project.project)
    write_pin(project.lock, "dev", PIN)

    with pytest.raises(FailedError, match="do not commit on Fridays") as error:
        change.commit("Pin dev")

    assert error.value.hint == 'git commit --message "Pin dev" -- image-lock.json'
