"""A file is written whole, whatever ends the one who writes it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config.whole_file import write_whole
from tests.support.cdk_context import ROOT

KILLED_BEFORE = """
import os, signal, sys
from pathlib import Path
from config.whole_file import write_whole
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
write_whole(Path(sys.argv[1]), b"new", scratch=Path(sys.argv[2]))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "file.json"
    made.write_bytes(b"old")
    return made


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_it_is_replaced_and_nothing_is_left(path: Path) -> None:
    write_whole(path, b"new", scratch=path.parent / "build")
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["build", "file.json"]
    assert names(path.parent / "build") == []


def test_it_keeps_its_mode(path: Path) -> None:
    path.chmod(0o640)
    write_whole(path, b"new", scratch=path.parent)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_new_one_has_the_mode_of_any_other(path: Path) -> None:
    write_whole(path.with_name("new"), b"new", scratch=path.parent)
    assert path.with_name("new").stat().st_mode == path.stat().st_mode


def test_a_symlink_stays_one(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path.name)
    write_whole(link, b"new", scratch=tmp_path)
    assert link.is_symlink()
    assert path.read_bytes() == b"new"


def test_what_a_kill_leaves_is_removed_by_the_next(path: Path) -> None:
    scratch = path.parent / "build"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE, path, scratch], cwd=ROOT, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert len(names(scratch)) == 1

    write_whole(path, b"newer", scratch=scratch)

    assert path.read_bytes() == b"newer"
    assert names(scratch) == []


@pytest.mark.parametrize("fault", ["write_bytes", "replace"])
def test_a_full_disk_changes_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, fault, full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new", scratch=path.parent)
    assert path.read_bytes() == b"old"
    assert names(path.parent) == ["file.json"]


def test_it_is_on_the_disk_before_it_has_its_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a power cut may leave an empty file of that name; and the name is on the disk, too."""
    synced: list[tuple[str, bytes]] = []

    def fsync(handle: int) -> None:
        synced.append((Path(f"/proc/self/fd/{handle}").readlink().suffix, path.read_bytes()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_whole(path, b"new", scratch=path.parent)
    assert synced == [(".tmp", b"old"), ("", b"new")]


def test_a_scratch_folder_on_another_file_system_is_not_used(path: Path) -> None:
    other = Path("/dev/shm")
    assert other.stat().st_dev != path.stat().st_dev
    write_whole(path, b"new", scratch=other)
    assert path.read_bytes() == b"new"
