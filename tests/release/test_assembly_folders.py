"""Folders of cloud assemblies, while several commands make and use them."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from config.file_lock import locked
from config.project import Project
from release.assembly_folders import is_whole, link, placing, prune
from tests.support.waiting import waiting


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, {"stages": {}, "imageLock": "image-lock.json"})


@pytest.fixture
def folder(project: Project) -> Path:
    return project.root / "build/assemblies/a"


def make(project: Project, folder: Path, text: str, *, keep: bool = True) -> None:
    with placing(project, folder, keep=keep) as new:
        new.mkdir()
        (new / "manifest.json").write_text(text)


def test_one_that_is_in_use_is_not_replaced_by_the_same(project: Project, folder: Path) -> None:
    """Another command may be deploying it: its files would go while they are read."""
    with placing(project, folder, keep=True) as new:
        new.mkdir()
        (new / "manifest.json").write_text("second")
        make_by_another(folder)
        in_use = folder.stat().st_ino
    assert folder.stat().st_ino == in_use
    assert (folder / "manifest.json").read_text() == "first"
    assert [path.name for path in folder.parent.iterdir()] == ["a"]


def make_by_another(folder: Path) -> None:
    folder.mkdir()
    (folder / "manifest.json").write_text("first")


def test_one_with_a_name_of_its_own_is_replaced(project: Project, folder: Path) -> None:
    make(project, folder, "first")
    make(project, folder, "second", keep=False)
    assert (folder / "manifest.json").read_text() == "second"


def test_one_that_broke_off_is_replaced(project: Project, folder: Path) -> None:
    folder.mkdir(parents=True)
    make(project, folder, "whole")
    assert is_whole(folder)


def test_they_are_put_in_place_one_after_the_other(
    project: Project, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        stack.enter_context(locked(project.root / "build/assemblies.lock"))
        with waiting(monkeypatch, lambda: make(project, folder, "second")):
            make_by_another(folder)
            stack.close()
    assert (folder / "manifest.json").read_text() == "first"


def test_a_link_takes_no_assembly_away(project: Project, folder: Path) -> None:
    make(project, folder, "whole")
    other = folder.with_name("b")
    for _ in range(2):
        link(project, other, folder)
    assert other.is_symlink()
    assert is_whole(other)
    link(project, folder, other)
    assert not folder.is_symlink()


def test_the_oldest_go(project: Project, folder: Path) -> None:
    for name in "abcdef":
        make(project, folder.with_name(name), name)
    prune(project)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["c", "d", "e", "f"]
