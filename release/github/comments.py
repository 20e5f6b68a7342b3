"""A comment on a pull request that is replaced, not repeated."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from release.errors import RefusedError
from release.github.body import MAX_CHARACTERS, fitting, lines
from release.github.client import Connection, github_errors

if TYPE_CHECKING:
    from github.IssueComment import IssueComment

_ABOUT = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")
_PERMISSION = "pull-requests: write"


@dataclass(frozen=True)
class Comment:
    """A comment as it is now, and what was done for it."""

    url: str
    """Where a browser finds it."""
    done: Literal["written", "replaced", "nothing"]


def write_comment(connection: Connection, number: int, *, about: str, body: str) -> Comment:
    """Write a comment on a pull request, in place of the one about the same that is there.

    ``about`` is a word: the comment is known by it, in a first line that is not shown.

    Raises:
        RefusedError: ``about`` is no word, or there is nothing in ``body``.
        CannotDoError: GitHub refuses, has no such pull request, or cannot be asked.

    """
    if not _ABOUT.fullmatch(about):
        raise RefusedError(f"{about!r} is not one word of letters, digits, '-', '_' and '.'")
    text = lines(body)
    if not text:
        raise RefusedError("there is nothing to write: the comment is empty")
    marker = f"<!-- hima-five-bomber: {about} -->"
    text = f"{marker}\n{fitting(text, MAX_CHARACTERS - len(marker) - 1)}"
    with github_errors(f"pull request {number} cannot be read", permission=_PERMISSION):
        pull = connection.repository.get_pull(number)
        before = _ours(connection, [c for c in pull.get_issue_comments() if _starts(c, marker)])
    with github_errors(
        f"the comment on pull request {number} cannot be written", permission=_PERMISSION
    ):
        if before is None:
            return Comment(pull.create_issue_comment(text).html_url, "written")
        if lines(before.body) == text:
            return Comment(before.html_url, "nothing")
        before.edit(text)
        return Comment(before.html_url, "replaced")


def _ours(connection: Connection, candidates: "list[IssueComment]") -> "IssueComment | None":
    """Return the first that a workflow or the token's own user wrote, not who quotes the marker."""
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
