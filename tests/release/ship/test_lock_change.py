"""What a release does to the lock file, and how it is taken back."""

import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from config.image_lock import read_image_lock, write_pin
from imagecheck.errors import FailedError
from release.ship.lock_change import LockChange
from tests.support.release.checkout import PIN, Checkout, checkout, git

OTHER = replace(PIN, digest="sha256:" + "e" * 64)


@pytest.fixture
def project(tmp_path: Path) -> Checkout:
    return checkout(tmp_path / "checkout")


def test_the_commit_has_the_lock_file_and_nothing_else(project: Checkout) -> None:
    change = LockChange(project.project, "dev")
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
    change = LockChange(project.project, "dev")
    for pin in (OTHER, PIN):
        write_pin(project.lock, "dev", pin)
        change.commit("Pin dev")

    change.take_back(PIN)

    assert (project.commit, project.lock.read_bytes()) == (head, before)
    assert git(project.root, "status", "--porcelain") == ""


def test_a_pin_that_was_there_uncommitted_is_there_again(project: Checkout) -> None:
    write_pin(project.lock, "prd", PIN)
    before = project.lock.read_bytes()
    change = LockChange(project.project, "dev")
    write_pin(project.lock, "dev", PIN)
    change.commit("Pin dev")

    change.take_back(PIN)

    assert project.lock.read_bytes() == before
    assert git(project.root, "status", "--porcelain").split() == ["M", "image-lock.json"]


def test_what_is_kept_stays(project: Checkout) -> None:
    change = LockChange(project.project, "dev")
    write_pin(project.lock, "dev", PIN)
    change.commit("Pin dev")
    head = project.commit
    change.keep()
    write_pin(project.lock, "dev", OTHER)

    change.take_back(OTHER)

    assert project.commit == head
    assert change.is_committed


def test_somebody_elses_commit_is_not_undone(project: Checkout) -> None:
    before = project.lock.read_bytes()
    change = LockChange(project.project, "dev")
    write_pin(project.lock, "dev", PIN)
    change.commit("Pin dev")
    theirs = project.commit_all()

    change.take_back(PIN)

    assert project.commit == theirs
    assert project.lock.read_bytes() == before


def test_somebody_elses_pin_stays(project: Checkout) -> None:
    """It came in while this one was built, and again before it was interrupted."""
    change = LockChange(project.project, "dev")
    write_pin(project.lock, "prd", PIN)
    write_pin(project.lock, "dev", PIN)
    change.commit("Pin dev")
    write_pin(project.lock, "local", PIN)

    assert change.take_back(PIN)

    assert read_image_lock(project.lock) == {"prd": PIN, "local": PIN}
    assert git(project.root, "status", "--porcelain") == " M image-lock.json\n"


def test_a_pin_that_somebody_gave_the_stage_stays_and_is_told(
    project: Checkout, capsys: pytest.CaptureFixture[str]
) -> None:
    change = LockChange(project.project, "dev")
    write_pin(project.lock, "dev", PIN)
    write_pin(project.lock, "dev", OTHER)

    assert not change.take_back(PIN)

    assert read_image_lock(project.lock) == {"dev": OTHER}
    assert "image-lock.json keeps the pin of dev" in capsys.readouterr().err


def test_what_somebody_has_committed_already_is_no_error(project: Checkout) -> None:
    change = LockChange(project.project, "dev")
    write_pin(project.lock, "dev", PIN)
    theirs = project.commit_all()

    change.commit("Pin dev")

    assert project.commit == theirs


def test_it_waits_for_another_git_command(
    project: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An editor that looks at the tree has the index for a moment."""
    change = LockChange(project.project, "dev")
    write_pin(project.lock, "dev", PIN)
    index_lock, looks = project.root / ".git/index.lock", []
    index_lock.touch()

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 8:
            index_lock.unlink()

    monkeypatch.setattr(time, "sleep", sleep)
    change.commit("Pin dev")

    assert change.is_committed
    assert len(looks) == 8
    assert capsys.readouterr().err == "waiting for another git command in this checkout\n"


@pytest.mark.proof
def test_it_does_not_wait_for_ever(project: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    change = LockChange(project.project, "dev")
    write_pin(project.lock, "dev", PIN)
    (project.root / ".git/index.lock").touch()
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with pytest.raises(FailedError, match=r"index\.lock"):
        change.commit("Pin dev")


def test_a_damaged_lock_file_is_told_before_anything_takes_time(project: Checkout) -> None:
    project.lock.write_bytes(b"\xff")
    with pytest.raises(FailedError, match=r"image-lock\.json: it is not text in UTF-8"):
        LockChange(project.project, "dev")


def test_what_git_refuses_is_told(project: Checkout) -> None:
    hook = project.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'we do not commit on Fridays' >&2\nexit 1\n")
    hook.chmod(0o755)
    change = LockChange(project.project, "dev")
    write_pin(project.lock, "dev", PIN)

    with pytest.raises(FailedError, match="do not commit on Fridays") as error:
        change.commit("Pin dev")

    assert error.value.hint == 'git commit --message "Pin dev" -- image-lock.json'
