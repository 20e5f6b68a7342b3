"""``python -m release smoke``"""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
import typer

from config.project import Stage, project_here
from contract.run import ContractStep, ContractTestError
from imagecheck.terminal import step
from release.commands.options import JsonOption
from release.commands.output import (
    print_result,
    result_fields,
    step_lines,
)
from release.deploy.live import read_live, stack_outputs
from release.deploy.signals import signals_as_interrupts
from release.deploy.smoke import api_url
from release.deploy.smoke import smoke as run_smoke
from release.errors import RefusedError
from release.place import say_place


class SmokeResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The requests that were answered as the contract says.

    ``account`` and ``region`` are where the stack was looked up; null where the URL was given.
    """

    account: str | None
    region: str | None
    url: str
    steps: tuple[ContractStep, ...]


RESULTS = (SmokeResult,)


def smoke(
    target: Annotated[
        str,
        typer.Argument(
            metavar="STAGE|URL",
            help="A stage of cdk.json, or the URL of an API: output ApiUrl of its stack.",
            show_default=False,
        ),
    ],
    url: Annotated[
        str | None,
        typer.Option(
            envvar="API_URL",
            help="Test the stage's API at this URL, not at the stack's output ApiUrl.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run the contract test against an API: create a room, join it, get it, leave it.

    Each answer is compared with the contract, and its time is measured, network included. The room
    is gone afterwards. A stage that is open through its page only is shown the key of its
    distribution. No request is repeated: an answer that a player would not get is a failure.

    **Examples**

    `python -m release smoke dev`

    `python -m release smoke https://abc123.execute-api.ap-northeast-1.amazonaws.com`

    `python -m release smoke http://127.0.0.1:3000 --json`

    Exit status 0: every answer is right; 1: one is wrong; 2: the API cannot be reached.
    """
    stage = None if "/" in target or ":" in target else project_here().stage(target)
    asked = stage if not url else None
    closed = stage if stage and stage.settings.only_through_page else None
    outputs = _outputs(stage) if stage and (asked or closed) else {}
    live = read_live(closed, outputs) if closed else None
    address = outputs["ApiUrl"] if asked else api_url(url or target)

    def result(steps: Sequence[ContractStep]) -> SmokeResult:
        return SmokeResult(
            account=asked.account if asked else None,
            region=asked.region if asked else None,
            url=address,
            steps=tuple(steps),
        )

    with signals_as_interrupts():
        try:
            with step(f"testing {address}"):
                steps = run_smoke(address, key=live.key if live else None)
        except ContractTestError as wrong:
            refused = RefusedError(
                f"{address} answers wrongly: {wrong}",
                hint=f"python -m release diagnose {stage.name}" if stage else None,
                details={"step": wrong.step, "found": wrong.found},
            )
            refused.result = result_fields(result(wrong.done))
            raise refused from wrong
    print_result("smoke", result(steps), "\n".join(step_lines(steps)), json=json)


def _outputs(stage: Stage) -> Mapping[str, str]:
    say_place(stage)
    outputs = stack_outputs(stage)
    if "ApiUrl" not in outputs:
        raise RefusedError(
            f"{stage.name} was never deployed in {stage.place}, so there is no API to test",
            hint=f"python -m release ship {stage.name}\n{stage.elsewhere}",
        )
    return outputs
