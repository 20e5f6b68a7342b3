"""``python -m release page``"""

import sys
from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer

from config.project import Stage, project_here
from imagecheck.errors import FailedError
from imagecheck.terminal import step
from release.cloud_assembly import CloudAssembly, assembly_for_page
from release.commands.options import AssemblyOption, JsonOption, StageArgument, YesOption
from release.commands.output import print_result, result_fields
from release.deploy.assembly_region import require_region
from release.deploy.cdk_deploy import CdkFailedError, cdk_deploy_page
from release.deploy.live import read_stack
from release.deploy.page import LoadedFile, PageError, look_at_page
from release.deploy.signals import signals_as_interrupts
from release.deploy.smoke import api_url
from release.errors import RefusedError
from release.place import say_place


class PageResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The page of a stage as a browser gets it."""

    stage: str
    account: str
    region: str
    url: str
    files: tuple[LoadedFile, ...]


RESULTS = (PageResult,)


def page(
    stage: StageArgument,
    assembly: AssemblyOption = None,
    url: Annotated[
        str | None,
        typer.Option(
            envvar="PAGE_URL",
            help="Test the page at this URL, not at the stack's output PageUrl.",
            show_default=False,
        ),
    ] = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Deploy the page of a stage, and test it as a browser loads it.

    The CDK CLI deploys the stage's web stack alone: bucket, distribution and files; CloudFront
    forgets the old ones. Function and API stay as they are; they must have been deployed before.
    Then the page is loaded with every file that it names, and the API is called through it; no room
    is created.

    **Examples**

    `python -m release page dev`

    `python -m release page prd --yes --json`

    Exit status 0: the page is there; 1: it is not as it should be; 2: it could not be done.
    """
    wanted = api_url(url) if url else None
    project = project_here()
    chosen = project.stage(stage)
    ask = sys.stdin.isatty() and sys.stderr.isatty() and not yes
    if assembly:
        require_region(CloudAssembly(assembly.absolute()), chosen)
    say_place(chosen)
    with signals_as_interrupts():
        if read_stack(chosen, chosen.names.rooms_stack) is None:
            raise RefusedError(
                f"the API of {chosen.name} was never deployed in {chosen.place}, and the page"
                " calls it",
                hint=f"python -m release ship {chosen.name}\n{chosen.elsewhere}",
            )
        cloud_assembly = (
            CloudAssembly(assembly.absolute()) if assembly else assembly_for_page(project, chosen)
        )
        try:
            with step(f"deploying the page of {chosen.name}"):
                cdk_deploy_page(project, chosen, cloud_assembly, ask=ask)
        except CdkFailedError as failed:
            raise RefusedError(
                f"the page of {chosen.name} was not deployed; the old one is still there\n"
                f"  {failed}"
            ) from failed
        _test(chosen, wanted or _page_url(chosen), json=json)


def _page_url(stage: Stage) -> str:
    stack = read_stack(stage, stage.names.web_stack)
    if stack is None or "PageUrl" not in stack.outputs:
        raise FailedError(f"the stack {stage.names.web_stack} has no output PageUrl")
    return stack.outputs["PageUrl"]


def _test(stage: Stage, url: str, *, json: bool) -> None:
    try:
        with step(f"testing {url}"):
            files = look_at_page(url)
    except PageError as wrong:
        refused = RefusedError(
            f"the page of {stage.name} is not as it should be: {wrong}",
            details={"gate": "page", "cause": str(wrong)},
        )
        refused.result = result_fields(_result(stage, url, wrong.got))
        raise refused from wrong
    print_result("page", _result(stage, url, files), "\n".join(_lines(url, files)), json=json)


def _lines(url: str, files: Sequence[LoadedFile]) -> list[str]:
    width = max(len(file.name) for file in files)
    return [
        f"the page is at {url}",
        *(
            f"  {file.name:{width}}  {file.status}  {file.size:6} bytes"
            f"  {file.milliseconds:7.1f} ms"
            for file in files
        ),
    ]


def _result(stage: Stage, url: str, files: Sequence[LoadedFile]) -> PageResult:
    return PageResult(
        stage=stage.name, account=stage.account, region=stage.region, url=url, files=tuple(files)
    )
