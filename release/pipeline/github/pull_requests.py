"""Pull requests with the files that differ in the work tree, by GitHub's REST API alone.

So the checkout needs no credentials, and GitHub signs the commit as the token's own:
https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

from release.errors import RefusedError
from release.pipeline.github.body import fitting, lines
from release.pipeline.github.client import Connection, github_errors
from release.pipeline.github.work_tree import Change, WorkTree

if TYPE_CHECKING:
    from github.GitCommit import GitCommit
    from github.GitTree import GitTree
    from github.InputGitTreeElement import InputGitTreeElement
    from github.PullRequest import PullRequest

Done = Literal["opened", "updated", "nothing"]
_CONTENTS = "contents: write"
_PULLS = "pull-requests: write"


@dataclass(frozen=True)
class Text:
    """The title and text of a pull request."""

    title: str
    body: str | None
    """Markdown. None: an existing pull request keeps its text, a new one has none."""


@dataclass(frozen=True)
class Proposed:
    """A pull request as it is now, and what was done for it."""

    url: str
    """Where a browser finds it."""
    number: int
    commit: str
    """The one that its branch is now: 40 hexadecimal digits."""
    done: Done


class ProposeResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What ``propose --json`` prints. Where no file differs, there is no pull request in it."""

    branch: str
    files: tuple[str, ...]
    """The paths that differ from the last commit."""
    url: str | None
    """Where a browser finds the pull request."""
    number: int | None
    commit: str | None
    """The one that the branch is now."""
    done: Done


def result_of(branch: str, tree: WorkTree, proposed: Proposed | None) -> ProposeResult:
    """Return what was done as data; ``proposed`` is None where no file differs."""
    return ProposeResult(
        branch=branch,
        files=tuple(change.path for change in tree.changes),
        url=proposed.url if proposed else None,
        number=proposed.number if proposed else None,
        commit=proposed.commit if proposed else None,
        done=proposed.done if proposed else "nothing",
    )


def propose_changes(
    connection: Connection, tree: WorkTree, *, branch: str, base: str, text: Text
) -> Proposed:
    """Make a branch one commit on top of the checkout's, and open or update its pull request.

    The branch is moved, whatever it was, unless it is this commit already. A pull request that is
    open from it gets the text, and ``base``.

    Raises:
        RefusedError: the checkout's commit is not at GitHub.
        FailedError: GitHub refuses, or cannot be reached.

    """
    with github_errors(f"the branch {branch} cannot be created", permission=_CONTENTS):
        commit, moved = _move(connection, tree, branch, text.title)
    with github_errors(
        f"the branch {branch} exists, but no pull request can be opened", permission=_PULLS
    ):
        pull, done = _open(connection, branch, base, text)
    if moved and done == "nothing":
        done = "updated"
    return Proposed(pull.html_url, pull.number, commit, done)


def _move(connection: Connection, tree: WorkTree, branch: str, title: str) -> tuple[str, bool]:
    """Return the commit that the branch is now, and whether it was another one."""
    from github import UnknownObjectException

    repository = connection.repository
    try:
        parent = repository.get_git_commit(tree.commit)
    except UnknownObjectException as error:
        raise RefusedError(
            f"GitHub has no commit {tree.commit} in {repository.full_name}",
            hint="push it first, or check out a commit that is there",
        ) from error
    files = repository.create_git_tree(list(_elements(connection, tree.changes)), parent.tree)
    try:
        ref = repository.get_git_ref(f"heads/{branch}")
    except UnknownObjectException:
        made = repository.create_git_commit(title, files, [parent])
        repository.create_git_ref(f"refs/heads/{branch}", made.sha)
        return made.sha, True
    there = repository.get_git_commit(ref.object.sha)
    if _is(there, parent, files):
        return there.sha, False
    made = repository.create_git_commit(title, files, [parent])
    ref.edit(made.sha, force=True)
    return made.sha, True


def _is(commit: "GitCommit", parent: "GitCommit", files: "GitTree") -> bool:
    """Whether a commit is the same: another one would only start all workflows again."""
    return commit.tree.sha == files.sha and [one.sha for one in commit.parents] == [parent.sha]


def _elements(connection: Connection, changes: Sequence[Change]) -> "Iterator[InputGitTreeElement]":
    """Send the files, and yield where they belong; one without a blob is deleted.

    https://docs.github.com/en/rest/git/trees#create-a-tree
    """
    from github import InputGitTreeElement

    for change in changes:
        sha = None
        if change.content is not None:
            content = base64.b64encode(change.content).decode()
            sha = connection.repository.create_git_blob(content, "base64").sha
        yield InputGitTreeElement(change.path, change.mode, "blob", sha=sha)


def _open(connection: Connection, branch: str, base: str, text: Text) -> "tuple[PullRequest, Done]":
    repository = connection.repository
    head = f"{repository.owner.login}:{branch}"
    for pull in repository.get_pulls(state="open", head=head):
        before = lines(pull.body or "")
        wanted = (text.title, before if text.body is None else fitting(lines(text.body)), base)
        if (pull.title, before, pull.base.ref) == wanted:
            return pull, "nothing"
        pull.edit(title=wanted[0], body=wanted[1], base=wanted[2])
        return pull, "updated"
    body = fitting(lines(text.body or ""))
    return repository.create_pull(base=base, head=branch, title=text.title, body=body), "opened"
