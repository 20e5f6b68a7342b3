"""``python -m release changes``"""

from typing import Annotated

import typer

from imagecheck.terminal import print_answer
from release.changes.comment.comment import as_markdown
from release.changes.find_changes import find_changes
from release.changes.report import as_json
from release.project import project_here


def changes(
    base: Annotated[
        str, typer.Argument(metavar="BASE", help="What is there: a git revision, or a folder.")
    ],
    head: Annotated[str, typer.Argument(metavar="HEAD", help="What is to come: the same.")] = ".",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what a change does to everything that is deployed, as the comment of a pull request.

    Compares the committed snapshots of the templates, as `cdk diff` would, and the lock file of
    images. No AWS account is asked, and nothing of BASE or HEAD is run: HEAD may be a stranger's.
    What may be lost comes first, then permissions, images, and each resource. Stage `local` and
    functions packaged as zip are left out. The comment has less than 65000 characters.

    **Examples**

    `python -m release changes origin/main`

    `python -m release changes . ../pull-request > comment.md`

    `python -m release changes HEAD~1 HEAD --json`

    Exit status 0: they were compared, whatever was found; 2: they could not be.
    """
    found = find_changes(project_here(), base, head)
    print_answer(as_json(found) if json else as_markdown(found))
