"""``python -m release diff``"""

import re
from pathlib import Path
from typing import Annotated

import typer

from imagecheck.terminal import print_answer, printable, step
from release.assembly import run_cdk
from release.deploy.interruption import interruptions
from release.project import Project, Stage, project_here

_SHORTEST_FENCE = 3
# GitHub takes 65,536 in a comment.
_MOST_CHARACTERS = 60_000


def diff(
    stage: Annotated[
        str, typer.Argument(metavar="STAGE", help="A stage of cdk.json.", show_default=False)
    ],
    assembly: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Compare what `synth` left there, and synthesize nothing.",
            show_default=False,
        ),
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, as for a comment.")
    ] = False,
) -> None:
    """Say what deploying would change at a stage: what is deployed, against what is here.

    It is `cdk diff` for all stacks of the stage, comparing templates: no change set is made, so
    reading the templates is all that it needs the right to.

    **Examples**

    `python -m release diff dev`

    `python -m release diff prd --assembly build/assembly --markdown`

    Exit status 0: said, whether anything would change or not; 2: it could not be found out.
    """
    project = project_here()
    where = project.stage(stage)
    with interruptions(), step(f"comparing with what is deployed at {stage}"):
        said = cdk_diff(project, where, assembly.absolute() if assembly else None)
    print_answer(as_markdown(stage, said) if markdown else said)


def cdk_diff(project: Project, stage: Stage, assembly: Path | None) -> str:
    """Return what `cdk diff` says of a stage's stacks. Raises CannotDoError when it fails."""
    what = [f"--app={assembly}"] if assembly else []
    context = {} if assembly else {"stage": stage.name}
    stacks = f"{stage.names.prefix}-*"
    # Without --ci the CLI writes to standard error, and both are read.
    return run_cdk(project, ["diff", stacks, "--method=template", *what], context).strip()


def as_markdown(stage: str, said: str) -> str:
    """Show it folded, as code: it may be of a change that nobody has looked at yet."""
    found = re.search(r"Number of stacks with differences: (\d+)", said)
    count = int(found[1]) if found else 0
    summary = (
        f"{count} {'stack' if count == 1 else 'stacks'} would change" if count else "no change"
    )
    fence = "`" * max([_SHORTEST_FENCE, *(len(run) + 1 for run in re.findall("`+", said))])
    text = printable(said, keep="\n")
    if len(text) > _MOST_CHARACTERS:
        text = f"{text[:_MOST_CHARACTERS]}\n... and more: python -m release diff {stage}"
    return "\n".join(
        (
            f"**Deploying this to `{stage}` now: {summary}**",
            "",
            "<details><summary>What <code>cdk diff</code> says</summary>",
            "",
            fence,
            text,
            fence,
            "",
            "</details>",
        )
    )
