"""``python -m release comment``"""

import os
from typing import Annotated

import msgspec
import typer

from imagecheck.terminal import print_answer, step
from release.github.body import read_body
from release.github.client import connect
from release.github.comments import write_comment


def comment(
    number: Annotated[
        int,
        typer.Argument(metavar="NUMBER", help="The pull request's.", min=1, show_default=False),
    ],
    body: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="What it says, in Markdown; - reads the input.", show_default=False
        ),
    ],
    about: Annotated[
        str,
        typer.Option(
            metavar="WORD", help="What the comment is known by, such as diff.", show_default=False
        ),
    ],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a comment on a pull request, in place of the one about the same.

    So a pull request has one comment about each thing, however often it is pushed to. Only a
    comment that a workflow wrote, or the user of the token, is replaced; one that says the same is
    left alone. What is longer than GitHub takes is cut, and says so.

    GITHUB_TOKEN and GITHUB_REPOSITORY are read from the environment, as GitHub Actions sets them;
    the job needs `permissions: pull-requests: write`.

    **Examples**

    `python -m release comment 12 --about diff --body diff.md`

    `git log --oneline -3 | python -m release comment 12 --about log --body -`

    Exit status 0: it is there; 1: there is nothing to write; 2: it could not be done.
    """
    text = read_body(body)
    connection = connect(os.environ)
    with step(f"commenting on pull request {number}"):
        done = write_comment(connection, number, about=about, body=text)
    print_answer(msgspec.json.format(msgspec.json.encode(done)).decode() if json else done.url)
