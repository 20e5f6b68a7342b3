"""``python -m release page``"""

import json as json_
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from imagecheck.terminal import print_answer, step
from release.commands.deploy import AssemblyOption, YesOption
from release.deploy.cdk_deploy import CdkFailedError, cdk_deploy_page
from release.deploy.cloud_assembly import CloudAssembly
from release.deploy.interruption import interruptions
from release.deploy.live import read_stack
from release.deploy.page import Got, PageError, look_at_page
from release.deploy.smoke import api_url
from release.errors import CannotDoError, RefusedError
from release.project import Stage, project_here


def page(
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="Such as dev.")],
    assembly: AssemblyOption = None,
    url: Annotated[
        str | None,
        typer.Option(
            envvar="PAGE_URL",
            help="Look at the page there, and not where the stack says that it is.",
            show_default=False,
        ),
    ] = None,
    yes: YesOption = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Upload the page of a stage, let CloudFront forget the old one, and look at it as a browser.

    It deploys the stage's web stack alone, with the CDK CLI: bucket, distribution and files. The
    function and the API stay as they are; they must have been deployed once. Then the page is got,
    with all that it names, and the API is asked through it; no room is made.

    **Examples**

    `python -m release page dev`

    `python -m release page prd --yes --json`

    Exit status 0: it is there; 1: it is not as it should be; 2: it could not be done.
    """
    asked = api_url(url) if url else None
    project = project_here()
    where = project.stage(stage)
    ask = sys.stdin.isatty() and sys.stderr.isatty() and not yes
    with interruptions():
        if read_stack(where, where.names.rooms_stack) is None:
            raise RefusedError(
                f"the API of {where.name} was never deployed, and the page is next to it: run"
                f" `python -m release deploy {where.name}` first"
            )
        try:
            with step(f"deploying the page of {where.name}"):
                synthesized = CloudAssembly(assembly.absolute()) if assembly else None
                cdk_deploy_page(project, where, assembly=synthesized, ask=ask)
        except CdkFailedError as failed:
            raise RefusedError(
                f"the page of {where.name} was not deployed; CloudFormation leaves what was there\n"
                f"  {failed}"
            ) from None
        _look(where, asked or _page_url(where), json=json)


def _page_url(stage: Stage) -> str:
    stack = read_stack(stage, stage.names.web_stack)
    if stack is None or "PageUrl" not in stack.outputs:
        raise CannotDoError(f"the stack {stage.names.web_stack} does not say where the page is")
    return stack.outputs["PageUrl"]


def _look(stage: Stage, url: str, *, json: bool) -> None:
    try:
        with step(f"looking at {url}"):
            got = look_at_page(url)
    except PageError as wrong:
        if json:
            print_answer(_as_json(stage, url, wrong.got, str(wrong)))
        raise RefusedError(f"the page of {stage.name} is not as it should be: {wrong}") from None
    print_answer(_as_json(stage, url, got) if json else "\n".join(_lines(url, got)))


def _lines(url: str, got: Sequence[Got]) -> list[str]:
    width = max(len(one.name) for one in got)
    return [
        f"the page is at {url}",
        *(
            f"  {one.name:{width}}  {one.status}  {one.size:6} bytes  {one.milliseconds:7.1f} ms"
            for one in got
        ),
    ]


def _as_json(stage: Stage, url: str, got: Sequence[Got], failure: str | None = None) -> str:
    """Return what ``--json`` prints.

    ``{"stage", "url", "got": [{"name", "status", "size", "milliseconds"}], "failure"}``; the
    failure is null where everything is as it should be.
    """
    document = {
        "stage": stage.name,
        "url": url,
        "got": [asdict(one) for one in got],
        "failure": failure,
    }
    return json_.dumps(document, indent=2)
