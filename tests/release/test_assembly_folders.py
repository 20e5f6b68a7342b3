"""Folders of cloud assemblies, while several commands make and use them."""

import json
import os
import shutil
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from config.file_lock import locked
from config.project import Project
from imagecheck.errors import FailedError
from release.assembly_folders import (
    copy,
    drop_unused_assets,
    is_whole,
    lend_assets,
    link,
    placing,
    prune,
    use,
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


def make_each(project: Project, folder: Path, names: str, *, days_ago: float) -> None:
    """Make assemblies that were used last so many days ago, each a little after the one before."""
    began = time.time() - days_ago * 24 * 60 * 60
    for seconds, name in enumerate(names):
        path = folder.with_name(name)
        make(project, path, name)
        os.utime(path, (began + seconds, began + seconds))


def names(folder: Path) -> str:
    return "".join(sorted(path.name for path in folder.parent.iterdir()))


def test_the_oldest_go(project: Project, folder: Path) -> None:
    make_each(project, folder, "abcdef", days_ago=2)
    prune(project)
    assert names(folder) == "cdef"


def test_none_goes_that_was_used_within_a_day(project: Project, folder: Path) -> None:
    """Another command may be deploying it, however many are made beside."""
    make_each(project, folder, "abcdef", days_ago=0.9)
    prune(project)
    assert names(folder) == "abcdef"


def test_one_that_is_taken_again_is_used_again(project: Project, folder: Path) -> None:
    make_each(project, folder, "abcdef", days_ago=2)
    assert use(project, folder)
    prune(project)
    assert names(folder) == "adef"
    assert not use(project, folder.with_name("b"))


def old_link(project: Project, link_to: Path, name: str, *, days_ago: float) -> None:
    path = link_to.with_name(name)
    link(project, path, link_to)
    at = time.time() - days_ago * 24 * 60 * 60
    os.utime(path, (at, at), follow_symlinks=False)


def test_links_take_no_place_from_the_folder_that_they_stand_for(
    project: Project, folder: Path
) -> None:
    """One synth of five stages is a folder, the oldest of the five, and four links to it."""
    make_each(project, folder, "a", days_ago=2)
    for name in "bcde":
        old_link(project, folder, name, days_ago=1.9)
    prune(project)
    assert names(folder) == "abcde"
    assert is_whole(folder.with_name("e"))


def test_a_link_is_a_use_of_its_folder(project: Project, folder: Path) -> None:
    make_each(project, folder, "abcdef", days_ago=3)
    old_link(project, folder, "l", days_ago=2)
    prune(project)
    assert names(folder) == "adefl"


def test_an_assembly_that_is_taken_through_a_link_is_used(project: Project, folder: Path) -> None:
    make_each(project, folder, "abcdef", days_ago=2)
    old_link(project, folder, "l", days_ago=3)
    assert use(project, folder.with_name("l"))
    prune(project)
    assert names(folder) == "adefl"


def test_links_go_with_their_folder(project: Project, folder: Path) -> None:
    make_each(project, folder, "abcdef", days_ago=2)
    old_link(project, folder, "l", days_ago=3)
    shutil.rmtree(folder.with_name("f"))
    folder.with_name("m").symlink_to("f")
    prune(project)
    assert names(folder) == "bcde"


def test_none_is_removed_while_it_is_copied(
    project: Project, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_each(project, folder, "abcdef", days_ago=2)
    with ExitStack() as stack:
        stack.enter_context(locked(project.root / "build/assemblies.lock"))
        with waiting(monkeypatch, lambda: copy(project, folder, project.root / "copy")):
            assert not (project.root / "copy").exists()
            stack.close()
    assert is_whole(project.root / "copy")


def test_what_is_not_copied_as_a_whole_is_said(project: Project, folder: Path) -> None:
    make(project, folder, "whole")
    (folder / "asset").symlink_to("nowhere")

    def fails() -> None:
        with placing(project, folder.with_name("b"), keep=True) as new:
            shutil.copytree(folder, new)

    with pytest.raises(FailedError, match=r"b cannot be written: .*No such file") as error:
        fails()
    assert "None" not in error.value.message


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
