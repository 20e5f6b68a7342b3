"""``python -m release changes``"""

from typing import Annotated

import typer

from config.project import project_here
from release.commands.options import JsonOption
from release.commands.output import print_result
from release.pipeline.changes.find_changes import find_changes
from release.pipeline.changes.report import ChangesResult, result_of
from release.pipeline.comment.comment import as_markdown

RESULTS = (ChangesResult,)


def changes(
    base: Annotated[
        str, typer.Argument(metavar="BASE", help="The old state: a git revision, or a folder.")
    ],
    head: Annotated[
        str, typer.Argument(metavar="HEAD", help="The new state: a git revision, or a folder.")
    ] = ".",
    json: JsonOption = False,
) -> None:
    """Show what a change does to all that is deployed, as the comment of a pull request.

    It compares the committed snapshots of the templates, as `cdk diff` would, and the lock file of
    images. It calls no AWS account, and runs nothing of BASE or HEAD: HEAD may be a stranger's.
    What may be lost comes first, then permissions, images, and each resource. Stage `local` and
    functions packaged as zip are left out. The comment has less than 65,000 characters.

    **Examples**

    `python -m release changes origin/main`

    `python -m release changes . ../pull-request > comment.md`

    `python -m release changes HEAD~1 HEAD --json`

    Exit status 0: compared, whatever was found; 2: they could not be compared.
    """
    found = find_changes(project_here(), base, head)
    print_result("changes", result_of(found), as_markdown(found), json=json)
