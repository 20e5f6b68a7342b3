"""``python -m release propose``"""

import os
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from imagecheck.terminal import print_answer, say, step
from release.errors import RefusedError
from release.github.body import read_body
from release.github.client import connect
from release.github.pull_requests import Proposed, Text, propose_changes
from release.github.work_tree import WorkTree, is_branch_name, read_work_tree


def propose(
    branch: Annotated[
        str,
        typer.Argument(metavar="BRANCH", help="The branch that is made.", show_default=False),
    ],
    title: Annotated[
        str, typer.Option(help="Of the pull request, and of the commit.", show_default=False)
    ],
    body: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="What it says, in Markdown; - reads the input.", show_default=False
        ),
    ] = None,
    base: Annotated[str, typer.Option(help="The branch that it is to go into.")] = "main",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Open a pull request with the files here that differ from the last commit.

    BRANCH becomes one commit on top of the one that is checked out, whatever it was before; a pull
    request that is open from it is updated. All goes through GitHub's API: no git credentials are
    needed here, and GitHub signs the commit. Files that git does not know are left out, unless
    `git add --intent-to-add` names them.

    GITHUB_TOKEN and GITHUB_REPOSITORY are read from the environment, as GitHub Actions sets them;
    the job needs `permissions: contents: write` and `pull-requests: write`, and the repository has
    to let workflows open pull requests.

    **Examples**

    `python -m release propose base-image --title "A newer base" --body news.md`

    Exit status 0: it is open, or nothing differs; 1: it is refused; 2: it could not be done.
    """
    text = Text(_title(title), None if body is None else read_body(body))
    if not is_branch_name(branch):
        raise RefusedError(f"{branch!r} cannot be the name of a branch")
    if branch == base:
        raise RefusedError(f"{base} is what the pull request is to go into: name another branch")
    tree = read_work_tree(Path.cwd())
    for path in tree.untracked:
        say(f"left out, as git does not know it: {path} (`git add --intent-to-add` names it)")
    if not tree.changes:
        print_answer(
            _as_json(branch, tree, None) if json else "nothing differs from the last commit"
        )
        return
    connection = connect(os.environ)
    with step(f"proposing {len(tree.changes)} file(s) from {branch}"):
        proposed = propose_changes(connection, tree, branch=branch, base=base, text=text)
    print_answer(_as_json(branch, tree, proposed) if json else proposed.url)


def _title(title: str) -> str:
    if len(title.splitlines()) != 1 or not title.strip():
        raise RefusedError("the title is one line, and not empty")
    return title.strip()


def _as_json(branch: str, tree: WorkTree, proposed: Proposed | None) -> str:
    """Return what ``--json`` prints.

    ``{"branch", "files", "url", "number", "commit", "done"}``; where nothing differs, ``done`` is
    "nothing" and the three before are null.
    """
    document = {
        "branch": branch,
        "files": [change.path for change in tree.changes],
        "url": proposed and proposed.url,
        "number": proposed and proposed.number,
        "commit": proposed and proposed.commit,
        "done": proposed.done if proposed else "nothing",
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
