"""``python -m release diff``"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from config.cdk_cli import cdk_environment, run_cdk
from config.image_lock import read_image_lock
from config.project import Project, Stage, project_here
from imagecheck.errors import UsageError
from imagecheck.terminal import printable, step
from release.cloud_assembly import CloudAssembly, assembly_of
from release.commands.options import AssemblyOption, JsonOption, StageArgument
from release.commands.output import print_result
from release.deploy.assembly_region import require_region
from release.deploy.live import read_stack
from release.deploy.signals import signals_as_interrupts
from release.deploy.table_change import left_behind
from release.place import say_place

_SHORTEST_FENCE: Final = 3
# GitHub takes 65,536 in a comment.
_MOST_CHARACTERS: Final = 60_000


class DiffResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many stacks of a stage would change, and what `cdk diff` says of them.

    ``leftBehind`` says which rooms nobody would read any more.
    """

    stage: str
    account: str
    region: str
    changed_stacks: int
    diff: str
    left_behind: tuple[str, ...] = ()


RESULTS = (DiffResult,)


def diff(
    stage: StageArgument,
    assembly: AssemblyOption = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, as for a comment.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what a deployment would change at a stage.

    It runs `cdk diff` for all stacks of the stage and compares templates, without a change set: the
    right to read templates is all that it needs.

    **Examples**

    `python -m release diff dev`

    `python -m release diff prd --assembly build/assembly --markdown`

    Exit status 0: compared, with or without a change; 2: it could not be compared.
    """
    if markdown and json:
        raise UsageError("--markdown and --json exclude each other", hint="choose one of them")
    project = project_here()
    chosen = project.stage(stage)
    # At once: the CDK CLI synthesizes first, and then says in two lines that it has no account.
    say_place(chosen)
    with signals_as_interrupts(), step(f"comparing with what is deployed at {stage}"):
        said = cdk_diff(project, chosen, assembly.absolute() if assembly else None)
        rooms = read_stack(chosen, chosen.names.rooms_stack)
        left = left_behind(project, chosen, rooms)
    result = DiffResult(
        stage=stage,
        account=chosen.account,
        region=chosen.region,
        changed_stacks=_changed_stacks(said),
        diff=said,
        left_behind=left,
    )
    text = as_markdown(stage, said, left) if markdown else "\n\n".join((said, *left))
    print_result("diff", result, text, json=json)


def cdk_diff(project: Project, stage: Stage, assembly: Path | None) -> str:
    """Return what `cdk diff` says of a stage's stacks.

    Without an assembly it makes the one that `deploy` will take. Raises FailedError when it fails,
    RefusedError when the assembly is for another Region, ConfigurationError for a wrong lock file.
    """
    if assembly:
        require_region(CloudAssembly(assembly), stage)
    else:
        assembly = _to_deploy(project, stage)
    options = [f"--app={assembly}"] if assembly else []
    context = {} if assembly else {"stage": stage.name}
    stacks = f"{stage.names.prefix}-*"
    # Without --ci the CLI writes to standard error, and both are read.
    arguments = ["diff", stacks, "--method=template", *options]
    environment = cdk_environment(region=stage.region)
    return run_cdk(project.root, arguments, context, environment=environment).strip()


def _to_deploy(project: Project, stage: Stage) -> Path | None:
    """Return the assembly of a deployment now; None: no image is pinned, so there is none."""
    pin = read_image_lock(project.lock).get(stage.name)
    as_image = project.packaging == "image"
    if as_image and pin is None:
        return None
    return assembly_of(project, stage, pin if as_image else None).folder


def as_markdown(stage: str, said: str, left: Sequence[str] = ()) -> str:
    """Return the diff folded, as code: nobody may have reviewed the change yet."""
    count = _changed_stacks(said)
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
            *(line for what in left for line in ("> [!CAUTION]", f"> {printable(what)}", "")),
            "<details><summary>What <code>cdk diff</code> says</summary>",
            "",
            fence,
            text,
            fence,
            "",
            "</details>",
        )
    )


def _changed_stacks(said: str) -> int:
    found = re.search(r"Number of stacks with differences: (\d+)", said)
    return int(found[1]) if found else 0
