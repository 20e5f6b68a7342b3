"""Folders of cloud assemblies, while several commands make and use them."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from config.file_lock import locked
from config.project import Project
from release.assembly_folders import (
    drop_unused_assets,
    is_whole,
    lend_assets,
    link,
    placing,
    prune,
)
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


def with_assets(folder: Path) -> None:
    """Write an assembly with a bundled folder and a file."""
    (folder / "asset.1/inner").mkdir(parents=True)
    (folder / "asset.1/inner/code.py").write_text("one")
    (folder / "asset.2.zip").write_text("two")
    (folder / "manifest.json").write_text("{}")


def test_assets_of_one_are_lent_to_the_next_synth(project: Project, folder: Path) -> None:
    with_assets(folder)
    new = folder.with_name("b")

    lend_assets(project, new)

    assert (new / "asset.1/inner/code.py").read_text() == "one"
    assert (new / "asset.2.zip").read_text() == "two"
    assert not is_whole(new)


def test_half_an_asset_is_not_lent(project: Project, folder: Path) -> None:
    """Of one that a command still fills, or that broke off."""
    with_assets(folder.with_name("a.17.new"))
    with_assets(folder)
    (folder / "manifest.json").unlink()

    lend_assets(project, folder.with_name("b"))

    assert not folder.with_name("b").exists()


def test_what_the_assembly_does_not_name_is_dropped(folder: Path) -> None:
    with_assets(folder)
    (folder / "asset.3").mkdir()
    files = {"1": {"source": {"path": "asset.1"}}, "t": {"source": {"path": "a.template.json"}}}
    (folder / "rooms.assets.json").write_text(json.dumps({"files": files}))

    drop_unused_assets(folder)

    assert sorted(path.name for path in folder.iterdir()) == [
        "asset.1",
        "manifest.json",
        "rooms.assets.json",
    ]
    assert (folder / "asset.1/inner/code.py").exists()
