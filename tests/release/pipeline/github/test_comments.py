"""A comment that is replaced: whose it is, how long it is, and that nothing is written twice."""

import io
import json
import sys
from pathlib import Path

import pytest

from release.pipeline.github.body import MAX_CHARACTERS
from tests.support.release.commanding import Run
from tests.support.release.github_server import Comment, GithubServer

MARKER = "<!-- hima-five-bomber: diff -->"


@pytest.fixture
def body(tmp_path: Path) -> Path:
    path = tmp_path / "diff.md"
    path.write_text("# One\n\nresource\n")
    return path


def comment(run: Run, number: int, body: Path, about: str = "diff") -> str:
    status, out, err = run("comment", str(number), "--body", str(body), "--about", about)
    assert status == 0, err
    return out.strip()


def test_the_first_time_it_is_written(github: GithubServer, run: Run, body: Path) -> None:
    number = github.open_pull()

    url = comment(run, number, body)

    assert [c.body for c in github.comments[number]] == [f"{MARKER}\n# One\n\nresource"]
    assert url == f"https://github.com/five-friends/rooms/pull/{number}#issuecomment-1"


def test_the_next_time_it_is_replaced(github: GithubServer, run: Run, body: Path) -> None:
    number = github.open_pull()
    url = comment(run, number, body)
    body.write_text("two")

    assert comment(run, number, body) == url
    assert [c.body for c in github.comments[number]] == [f"{MARKER}\ntwo"]


def test_what_says_the_same_is_not_written_again(
    github: GithubServer, run: Run, body: Path
) -> None:
    number = github.open_pull()
    url = comment(run, number, body)
    written = github.writes
    github.comments[number][0].body = f"{MARKER}\r\n# One\r\n\r\nresource"
    body.write_bytes(b"# One\r\n\r\nresource\r\n\r\n")

    assert comment(run, number, body) == url
    assert github.writes == written


def test_another_word_is_another_comment(github: GithubServer, run: Run, body: Path) -> None:
    number = github.open_pull()
    comment(run, number, body, "diff-of-prd")
    comment(run, number, body, "diff")

    assert [c.body.partition("\n")[0] for c in github.comments[number]] == [
        "<!-- hima-five-bomber: diff-of-prd -->",
        MARKER,
    ]


def test_another_pull_request_has_its_own(github: GithubServer, run: Run, body: Path) -> None:
    first, second = github.open_pull(), github.open_pull()
    comment(run, first, body)
    comment(run, second, body)

    assert [len(github.comments[n]) for n in (first, second)] == [1, 1]


@pytest.mark.parametrize(
    "theirs",
    [
        Comment(7, f"{MARKER}\nfrom somebody", "mallory", "User"),
        Comment(7, f"> {MARKER}\n> quoted", "github-actions[bot]", "Bot"),
        Comment(7, f"see:\n{MARKER}\n", "github-actions[bot]", "Bot"),
    ],
    ids=["of a person", "quoted", "not in front"],
)
def test_a_comment_that_only_has_the_marker_stays(
    github: GithubServer, run: Run, body: Path, theirs: Comment
) -> None:
    number = github.open_pull()
    before = theirs.body
    github.comments[number].append(theirs)

    comment(run, number, body)
    comment(run, number, body)

    assert theirs.body == before
    assert len(github.comments[number]) == 2


def test_a_person_replaces_what_is_their_own(github: GithubServer, run: Run, body: Path) -> None:
    number = github.open_pull()
    github.login = "octocat"
    github.comments[number].append(Comment(3, f"{MARKER}\nof another", "mallory", "User"))
    comment(run, number, body)
    body.write_text("two")
    comment(run, number, body)

    assert [(c.login, c.body) for c in github.comments[number]] == [
        ("mallory", f"{MARKER}\nof another"),
        ("octocat", f"{MARKER}\ntwo"),
    ]


def test_it_is_found_behind_a_hundred_others(github: GithubServer, run: Run, body: Path) -> None:
    number = github.open_pull()
    github.comments[number] = [Comment(n, "chat", "alice", "User") for n in range(1, 151)]
    comment(run, number, body)
    body.write_text("two")
    comment(run, number, body)

    assert len(github.comments[number]) == 151
    assert github.comments[number][-1].body == f"{MARKER}\ntwo"


def test_what_is_too_long_is_cut_at_the_end_of_a_line_and_says_so(
    github: GithubServer, run: Run, body: Path
) -> None:
    number = github.open_pull()
    body.write_text("".join(f"line {n} 🎲\n" for n in range(9000)))
    comment(run, number, body)

    (written,) = github.comments[number]
    first, notice, _, *kept = written.body.split("\n")
    whole = body.read_text()
    assert first == MARKER
    assert f"the whole text has {len(whole.strip()):,} characters" in notice
    assert kept == whole.split("\n")[: len(kept)]
    # As many as there is room for.
    next_line = whole.split("\n")[len(kept)]
    assert len(written.body) <= MAX_CHARACTERS < len(written.body) + 1 + len(next_line)


def test_one_line_that_is_too_long_is_cut_in_it(github: GithubServer, run: Run, body: Path) -> None:
    number = github.open_pull()
    body.write_text("x" * 70_000)
    comment(run, number, body)

    assert len(github.comments[number][0].body) == MAX_CHARACTERS


def test_what_just_fits_is_whole(github: GithubServer, run: Run, body: Path) -> None:
    number = github.open_pull()
    body.write_text("x" * (MAX_CHARACTERS - len(MARKER) - 1))
    comment(run, number, body)

    assert github.comments[number][0].body == f"{MARKER}\n{body.read_text()}"


def test_the_input_is_read_where_the_file_is_a_dash(
    github: GithubServer, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = github.open_pull()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("五人".encode())))

    status, out, _ = run("comment", str(number), "--about", "diff", "--body", "-", "--json")

    assert (status, json.loads(out)["done"]) == (0, "written")
    assert github.comments[number][0].body == f"{MARKER}\n五人"


@pytest.mark.parametrize("about", ["", "two words", "x -->", "-", "x\ny"])
def test_what_is_no_word_is_refused(github: GithubServer, run: Run, body: Path, about: str) -> None:
    number = github.open_pull()
    status, _, err = run("comment", str(number), "--body", str(body), "--about", about)

    assert (status, github.writes) == (1, [])
    assert "is not one word" in err


def test_an_empty_comment_is_refused(github: GithubServer, run: Run, body: Path) -> None:
    body.write_text(" \n")
    status, _, err = run("comment", "1", "--body", str(body), "--about", "diff")

    assert (status, "the comment is empty" in err) == (1, True)
    assert github.writes == []


def test_a_file_that_cannot_be_read_is_named(github: GithubServer, run: Run) -> None:
    status, _, err = run("comment", "1", "--body", "nowhere.md", "--about", "diff")

    assert status == 2
    assert "nowhere.md cannot be read: No such file or directory" in err
    assert github.requests == []


def test_a_pull_request_that_is_not_there(github: GithubServer, run: Run, body: Path) -> None:
    status, _, err = run("comment", "99", "--body", str(body), "--about", "diff")

    assert status == 2
    assert "pull request 99 cannot be read: it does not exist at GitHub" in err
    assert github.writes == []


def test_a_job_that_may_not_comment_is_told_what_it_needs(
    github: GithubServer, run: Run, body: Path
) -> None:
    number = github.open_pull()
    github.permissions.remove("pull-requests")
    status, _, err = run("comment", str(number), "--body", str(body), "--about", "diff")

    assert status == 2
    assert "give the job `permissions: pull-requests: write`" in err
