"""Comments on pull requests: one a topic, replaced and not repeated."""

import re
from typing import TYPE_CHECKING, Literal

import msgspec

from release.errors import RefusedError
from release.pipeline.github.body import MAX_CHARACTERS, fitting, lines
from release.pipeline.github.client import Connection, github_errors

if TYPE_CHECKING:
    from github.IssueComment import IssueComment

_ABOUT = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")
_PERMISSION = "pull-requests: write"


class CommentResult(msgspec.Struct, frozen=True, rename="camel"):
    """What ``comment --json`` prints: the comment as it is now, and what was done."""

    url: str
    """Where a browser finds it."""
    done: Literal["written", "replaced", "nothing"]


def write_comment(connection: Connection, number: int, *, about: str, body: str) -> CommentResult:
    """Write a comment on a pull request, or replace the one about the same topic.

    ``about`` is the topic, one word. It is in the comment's first line, which is not shown.

    Raises:
        RefusedError: ``about`` is not one word, or ``body`` is empty.
        FailedError: GitHub refuses, has no such pull request, or cannot be reached.

    """
    if not _ABOUT.fullmatch(about):
        raise RefusedError(f"{about!r} is not one word of letters, digits, '-', '_' and '.'")
    text = lines(body)
    if not text:
        raise RefusedError("the comment is empty")
    marker = f"<!-- hima-five-bomber: {about} -->"
    text = f"{marker}\n{fitting(text, MAX_CHARACTERS - len(marker) - 1)}"
    with github_errors(f"pull request {number} cannot be read", permission=_PERMISSION):
        pull = connection.repository.get_pull(number)
        before = _ours(connection, [c for c in pull.get_issue_comments() if _starts(c, marker)])
    with github_errors(
        f"the comment on pull request {number} cannot be written", permission=_PERMISSION
    ):
        if before is None:
            return CommentResult(pull.create_issue_comment(text).html_url, "written")
        if lines(before.body) == text:
            return CommentResult(before.html_url, "nothing")
        before.edit(text)
        return CommentResult(before.html_url, "replaced")


def _ours(connection: Connection, candidates: "list[IssueComment]") -> "IssueComment | None":
    """Return the first that a workflow or the token's user wrote: others may quote the marker."""
    from github import GithubException

    login: str | None = None
    for comment in candidates:
        if comment.user.type == "Bot":
            return comment
        if login is None:
            try:
                login = connection.github.get_user().login
            except GithubException as error:
                # The token of a workflow is nobody's.
                if error.status != 403:  # noqa: PLR2004  (forbidden)
                    raise
                login = ""
        if comment.user.login == login:
            return comment
    return None


def _starts(comment: "IssueComment", marker: str) -> bool:
    return lines(comment.body or "").partition("\n")[0] == marker
