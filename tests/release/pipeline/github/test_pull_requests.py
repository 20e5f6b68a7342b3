"""A pull request with what differs in a real checkout: what is in it, and that there is one."""

import json
from pathlib import Path

import pytest

from tests.support.release.checkout import git
from tests.support.release.commanding import Run
from tests.support.release.github_server import GithubServer

PICTURE = bytes(range(256))


@pytest.fixture
def checkout(tmp_path: Path, github: GithubServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose last commit is the main branch at GitHub; it is the current folder."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "config", "user.name", "Tester")
    git(folder, "config", "user.email", "tester@example.com")
    (folder / "lock.json").write_text("{}\n")
    (folder / "picture").write_bytes(PICTURE)
    (folder / "sub").mkdir()
    (folder / "sub/run").write_text("#!/bin/sh\n")
    (folder / "sub/run").chmod(0o755)
    (folder / "sub/link").symlink_to("run")
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    github.push(folder)
    monkeypatch.chdir(folder)
    return folder


def propose(run: Run, *options: str, branch: str = "news/base") -> str:
    status, out, err = run("propose", branch, "--title", "News", *options)
    assert status == 0, err
    return out.strip()


def test_what_differs_is_one_commit_on_top_of_the_checked_out_one(
    github: GithubServer, checkout: Path, run: Run
) -> None:
    (checkout / "lock.json").write_text('{"a": 1}\n')
    (checkout / "body.txt").write_text("Why.\r\n")

    url = propose(run, "--body", "body.txt")

    assert url == "https://github.com/five-friends/rooms/pull/1"
    (pull,) = github.pulls.values()
    assert (pull.head, pull.base, pull.title, pull.body) == ("news/base", "main", "News", "Why.")
    before = github.files("main")
    assert github.files("news/base") == {**before, "lock.json": b'{"a": 1}\n'}
    made, *others = github.commits("news/base")
    assert others == github.commits("main") == [git(checkout, "rev-parse", "HEAD").strip()]
    assert git(github.git, "show", "--no-patch", "--format=%B", made).strip() == "News"
    assert github.modes("news/base") == github.modes("main")
    # The checkout is as it was.
    assert git(checkout, "status", "--porcelain").splitlines() == [" M lock.json", "?? body.txt"]


def test_programs_links_bytes_and_removals_are_kept_as_they_are(
    github: GithubServer, checkout: Path, run: Run
) -> None:
    (checkout / "picture").write_bytes(PICTURE[::-1])
    (checkout / "lock.json").chmod(0o755)
    (checkout / "sub/run").write_text("#!/bin/sh\nexit 0\n")
    (checkout / "sub/link").unlink()
    (checkout / "sub/link").symlink_to("../lock.json")
    (checkout / ".gitignore").unlink()
    (checkout / "ルーム 1.txt").write_text("new")
    git(checkout, "add", "--intent-to-add", "ルーム 1.txt")

    propose(run)

    files = github.files("news/base")
    assert files == {
        "lock.json": b"{}\n",
        "picture": PICTURE[::-1],
        "sub/run": b"#!/bin/sh\nexit 0\n",
        "sub/link": b"../lock.json",
        "ルーム 1.txt": b"new",
    }
    assert github.modes("news/base") == {
        "lock.json": "100755",
        "picture": "100644",
        "sub/run": "100755",
        "sub/link": "120000",
        "ルーム 1.txt": "100644",
    }


def test_what_is_staged_is_in_it_too_and_a_folder_below_will_do(
    github: GithubServer, checkout: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "lock.json").write_text("staged")
    git(checkout, "add", "lock.json")
    monkeypatch.chdir(checkout / "sub")
    propose(run)

    assert github.files("news/base")["lock.json"] == b"staged"


def test_what_git_does_not_know_is_left_out_and_named(
    github: GithubServer, checkout: Path, run: Run
) -> None:
    for name in ("lock.json", "stray", "ignored"):
        (checkout / name).write_text("x")
    status, _, err = run("propose", "news", "--title", "News")

    assert status == 0
    assert "left out, because git does not track it: stray" in err
    assert "ignored" not in err
    assert github.files("news").keys() == github.files("main").keys()


def test_where_nothing_differs_nobody_is_asked(
    github: GithubServer, checkout: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    # Touched, and written with the same text.
    (checkout / "lock.json").write_text("{}\n")

    assert propose(run) == "nothing differs from the last commit"
    assert json.loads(propose(run, "--json"))["done"] == "nothing"
    assert github.requests == []


@pytest.mark.proof
def test_the_next_time_the_same_pull_request_is_updated(
    github: GithubServer, checkout: Path, run: Run
) -> None:
    (checkout / "lock.json").write_text("one")
    (checkout / "body.md").write_text("First.")
    url = propose(run, "--body", "body.md")
    (checkout / "lock.json").write_text("two")
    (checkout / "body.md").write_text("Second.")
    git(github.git, "branch", "next", "main")
    status, out, _ = run(
        *("propose", "news/base", "--title", "Newer", "--body", "body.md", "--base", "next"),
        "--json",
    )

    assert status == 0
    answer = json.loads(out)
    assert (answer["url"], answer["done"], answer["files"]) == (url, "updated", ["lock.json"])
    (pull,) = github.pulls.values()
    assert (pull.title, pull.body, pull.base) == ("Newer", "Second.", "next")
    # In place of the commit before, not on top of it.
    assert github.commits("news/base")[1:] == github.commits("main")
    assert github.commits("news/base")[0] == answer["commit"]
    assert github.files("news/base")["lock.json"] == b"two"


@pytest.mark.proof
def test_a_text_that_is_not_given_leaves_the_one_that_is_there(
    github: GithubServer, checkout: Path, run: Run
) -> None:
    (checkout / "lock.json").write_text("one")
    (checkout / "body.md").write_text("Edited by hand.\n")
    propose(run, "--body", "body.md")
    (checkout / "lock.json").write_text("two")
    propose(run)

    assert github.pulls[1].body == "Edited by hand."


@pytest.mark.proof
def test_the_same_again_changes_nothing(github: GithubServer, checkout: Path, run: Run) -> None:
    (checkout / "lock.json").write_text("one")
    propose(run)
    commit = github.branches()["news/base"]

    assert json.loads(propose(run, "--json"))["done"] == "nothing"
    assert github.branches()["news/base"] == commit
    assert not [request for request in github.writes if request.startswith("PATCH")]
    assert len(github.pulls) == 1


@pytest.mark.proof
def test_the_same_files_on_a_later_commit_move_the_branch(
    github: GithubServer, checkout: Path, run: Run
) -> None:
    (checkout / "lock.json").write_text("one")
    propose(run)
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "later")
    github.push(checkout)
    answer = json.loads(propose(run, "--json"))

    assert answer["done"] == "updated"
    assert github.commits("news/base")[1:] == github.commits("main")


def test_a_pull_request_that_was_closed_is_left_closed_and_a_new_one_opened(
    github: GithubServer, checkout: Path, run: Run
) -> None:
    (checkout / "lock.json").write_text("one")
    propose(run)
    github.pulls[1].state = "closed"

    assert propose(run).endswith("/pull/2")
    assert github.pulls[1].state == "closed"


def test_pull_requests_of_other_branches_are_left_alone(
    github: GithubServer, checkout: Path, run: Run
) -> None:
    github.open_pull("other")
    (checkout / "lock.json").write_text("one")

    assert propose(run).endswith("/pull/2")
    assert github.pulls[1].title == "A change"


def test_a_commit_that_was_not_pushed_is_refused(
    github: GithubServer, checkout: Path, run: Run
) -> None:
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "mine")
    (checkout / "lock.json").write_text("one")
    status, _, err = run("propose", "news", "--title", "News")

    assert status == 1
    assert "push it first" in err
    assert github.writes == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["main", "--title", "News"], "name another branch"),
        (["a..b", "--title", "News"], "invalid name of a branch"),
        (["a b", "--title", "News"], "invalid name of a branch"),
        (["news", "--title", " "], "one line"),
        (["news", "--title", "two\nlines"], "one line"),
    ],
)
def test_what_would_go_wrong_is_refused_before_anything_is_asked(
    github: GithubServer, checkout: Path, run: Run, arguments: list[str], expected: str
) -> None:
    (checkout / "lock.json").write_text("one")
    status, _, err = run("propose", *arguments)

    assert status == 1
    assert expected in err
    assert github.requests == []


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("contents", "the branch news cannot be created: GITHUB_TOKEN does not have the permission"
         "\nhint: give the job `permissions: contents: write`"),
        ("pull-requests", "the branch news exists, but no pull request can be opened: GITHUB_TOKEN"
         " does not have the permission\nhint: give the job `permissions: pull-requests: write`"),
    ],
)  # fmt: skip
def test_a_job_that_may_not_is_told_what_it_needs(
    github: GithubServer, checkout: Path, run: Run, missing: str, expected: str
) -> None:
    github.permissions.remove(missing)
    (checkout / "lock.json").write_text("one")
    status, _, err = run("propose", "news", "--title", "News")

    assert status == 2
    assert expected in err


def test_a_repository_that_lets_no_workflow_open_pull_requests(
    github: GithubServer, checkout: Path, run: Run
) -> None:
    github.may_open_pulls = False
    (checkout / "lock.json").write_text("one")
    status, _, err = run("propose", "news", "--title", "News")

    assert status == 2
    assert "turn on `Allow GitHub Actions to create and approve pull requests`" in err


def test_a_base_that_is_not_there_is_told_in_githubs_words(
    github: GithubServer, checkout: Path, run: Run
) -> None:
    (checkout / "lock.json").write_text("one")
    status, _, err = run("propose", "news", "--title", "News", "--base", "nowhere")

    assert status == 2
    assert "Validation Failed" in err
    assert '"field": "base"' in err
    assert github.pulls == {}


def test_a_folder_that_is_no_checkout(
    github: GithubServer, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    status, _, err = run("propose", "news", "--title", "News")

    assert status == 2
    assert "git cannot compare the work tree: fatal: not a git repository" in err
    assert github.requests == []
