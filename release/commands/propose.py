"""``python -m release propose``"""

import os
from pathlib import Path
from typing import Annotated

import typer

from imagecheck.terminal import say, step
from release.commands.options import JsonOption
from release.commands.output import print_result
from release.errors import RefusedError
from release.pipeline.github.body import read_body
from release.pipeline.github.client import connect
from release.pipeline.github.pull_requests import ProposeResult, Text, propose_changes, result_of
from release.pipeline.github.work_tree import is_branch_name, read_work_tree

RESULTS = (ProposeResult,)


def propose(
    branch: Annotated[
        str,
        typer.Argument(
            metavar="BRANCH", help="The branch to create or replace.", show_default=False
        ),
    ],
    title: Annotated[
        str,
        typer.Option(help="The title of the pull request, and of the commit.", show_default=False),
    ],
    body: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The text, in Markdown; - reads standard input.",
            show_default=False,
        ),
    ] = None,
    base: Annotated[str, typer.Option(help="The branch to merge into.")] = "main",
    json: JsonOption = False,
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
        raise RefusedError(f"invalid name of a branch: {branch!r}")
    if branch == base:
        raise RefusedError(
            f"the pull request cannot go from {base} into {base}", hint="name another branch"
        )
    tree = read_work_tree(Path.cwd())
    for path in tree.untracked:
        say(f"left out, because git does not track it: {path} (`git add --intent-to-add` adds it)")
    if not tree.changes:
        result = result_of(branch, tree, None)
        print_result("propose", result, "nothing differs from the last commit", json=json)
        return
    connection = connect(os.environ)
    with step(f"proposing {len(tree.changes)} file(s) from {branch}"):
        proposed = propose_changes(connection, tree, branch=branch, base=base, text=text)
    print_result("propose", result_of(branch, tree, proposed), proposed.url, json=json)


def _title(title: str) -> str:
    if len(title.splitlines()) != 1 or not title.strip():
        raise RefusedError("the title must be one line, and not empty")
    return title.strip()
