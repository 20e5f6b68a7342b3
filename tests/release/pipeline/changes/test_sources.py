"""Files of a checkout that may be a stranger's."""

import os
from pathlib import Path

import pytest

from imagecheck.errors import FailedError
from release.pipeline.changes.sources import MAX_BYTES, Source, UnreadableError, open_source
from tests.support.release.checkout import git
from tests.support.release.states import repository


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a file, in a folder with brackets in its name."""
    (tmp_path / "tree/a [b]").mkdir(parents=True)
    (tmp_path / "tree/a [b]/file[1].json").write_text("first")
    return tmp_path / "tree"


@pytest.fixture(params=["folder", "revision"])
def opened(request: pytest.FixtureRequest, tree: Path) -> Source:
    """The same files, in a folder and in a revision; links, pipes and large files among them."""
    (tree / "link.json").symlink_to("a [b]/file[1].json")
    (tree / "outside").symlink_to("/etc")
    (tree / "large.json").write_bytes(b" " * (MAX_BYTES + 1))
    (tree / "largest.json").write_bytes(b" " * MAX_BYTES)
    if request.param == "revision":
        revision = repository(tree)
        (tree / "a [b]/file[1].json").write_text("changed since")
        return open_source(revision, tree)
    return open_source(str(tree), tree.parent)


def test_files_are_listed_and_read(opened: Source) -> None:
    assert opened.names("a [b]") == ["file[1].json"]
    assert opened.content("a [b]/file[1].json") == b"first"


def test_what_is_not_there_is_nothing(opened: Source) -> None:
    assert opened.names("b") == []
    assert opened.content("a [b]/file1.json") is None
    assert opened.content("none.json") is None


@pytest.mark.parametrize("path", ["link.json", "a [b]"])
def test_only_plain_files_are_read(opened: Source, path: str) -> None:
    with pytest.raises(UnreadableError):
        opened.content(path)


def test_no_link_is_followed_on_the_way(tree: Path) -> None:
    (tree / "outside").symlink_to(tree / "a [b]")
    revision = repository(tree)
    folder, committed = open_source(".", tree), open_source(revision, tree)
    with pytest.raises(UnreadableError):
        folder.content("outside/file[1].json")
    with pytest.raises(FailedError, match="cannot be listed"):
        folder.names("outside")
    assert committed.content("outside/file[1].json") is None
    assert committed.names("outside") == []


def test_a_file_that_is_too_large_is_not_read(opened: Source) -> None:
    with pytest.raises(UnreadableError, match="more than 5 MB"):
        opened.content("large.json")
    assert opened.content("largest.json")


def test_a_pipe_keeps_nobody_waiting(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    with pytest.raises(UnreadableError, match="not a regular file"):
        open_source(str(tree), tree).content("pipe")


@pytest.mark.parametrize(
    "where", ["nowhere", "--all", "-x", "HEAD..HEAD", "HEAD:file", "", "a [b]/file[1].json"]
)
def test_what_is_neither_a_folder_nor_a_commit_is_refused(tree: Path, where: str) -> None:
    (tree / "-x").mkdir()
    repository(tree)
    with pytest.raises(FailedError, match="neither a folder nor a"):
        open_source(where, tree)


def test_a_folder_that_is_a_branch_too_has_to_be_told_apart(tree: Path) -> None:
    (tree / "main").mkdir()
    (tree / "main/file").write_text("in the folder")
    repository(tree)
    git(tree, "branch", "--force", "--move", "main")
    with pytest.raises(FailedError, match="both a folder and a git revision") as told:
        open_source("main", tree)
    assert "./main" in str(told.value.hint)
    assert open_source("./main", tree).content("file") == b"in the folder"


def test_a_folder_needs_no_repository(tree: Path) -> None:
    assert open_source("tree", tree.parent).content("a [b]/file[1].json") == b"first"


def test_git_is_asked_for_nothing_in_a_strangers_folder(tree: Path, tmp_path: Path) -> None:
    """A repository's own settings name programs that git runs."""
    repository(tree)
    with (tree / ".git/config").open("a") as config:
        config.write(f'[core]\n\tfsmonitor = "touch {tmp_path}/ran"\n')
    source = open_source("tree", tmp_path)
    assert source.names("a [b]")
    assert source.content("a [b]/file[1].json")
    assert not (tmp_path / "ran").exists()


def test_without_git_it_is_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tree))
    with pytest.raises(FailedError, match="git is not installed"):
        open_source("HEAD", tree)
