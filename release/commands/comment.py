"""``python -m release comment``"""

import os
from typing import Annotated

import typer

from imagecheck.terminal import step
from release.commands.options import JsonOption
from release.commands.output import print_result
from release.pipeline.github.body import read_body
from release.pipeline.github.client import connect
from release.pipeline.github.comments import CommentResult, write_comment

RESULTS = (CommentResult,)


def comment(
    number: Annotated[
        int,
        typer.Argument(
            metavar="NUMBER", help="The number of the pull request.", min=1, show_default=False
        ),
    ],
    body: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="The text, in Markdown; - reads standard input.",
            show_default=False,
        ),
    ],
    about: Annotated[
        str,
        typer.Option(
            metavar="WORD", help="The topic of the comment, such as diff.", show_default=False
        ),
    ],
    json: JsonOption = False,
) -> None:
    """Write a comment on a pull request, or replace the one about the same topic.

    So a pull request has one comment for each topic, however often it is pushed to. Only a comment
    that a workflow wrote, or the user of the token, is replaced; an equal one is left alone. A text
    that is longer than GitHub accepts is cut, with a note.

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
    print_result("comment", done, done.url, json=json)
