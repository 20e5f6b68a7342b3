"""``python -m release smoke``"""

import json as json_
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from imagecheck.terminal import print_answer, step
from lambda_src.probe.play import PlayError, Step
from release.deploy.interruption import interruptions
from release.deploy.live import stack_outputs
from release.deploy.smoke import api_url
from release.deploy.smoke import smoke as play_smoke
from release.errors import RefusedError
from release.project import Stage, project_here


def smoke(
    target: Annotated[
        str,
        typer.Argument(
            metavar="STAGE|URL",
            help="A stage of cdk.json, or where an API is: output ApiUrl of its stack.",
            show_default=False,
        ),
    ],
    url: Annotated[
        str | None,
        typer.Option(
            envvar="API_URL",
            help="Where the API of the stage is, if not where its stack says.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Play the contract of the API as a client: create a room, join it, get it, leave it.

    Each answer is held against the contract, and its time is measured, network and all. The room is
    gone afterwards. Nothing is asked a second time: what a player would not get is a failure.

    **Examples**

    `python -m release smoke dev`

    `python -m release smoke https://abc123.execute-api.ap-northeast-1.amazonaws.com`

    `python -m release smoke http://127.0.0.1:3000 --json`

    Exit status 0: every answer is right; 1: one is wrong; 2: the API cannot be reached.
    """
    stage = None if "/" in target or ":" in target else project_here().stage(target)
    address = _address(stage, url) if stage else api_url(target)
    with interruptions():
        try:
            with step(f"asking {address}"):
                steps = play_smoke(address)
        except PlayError as wrong:
            if json:
                print_answer(_as_json(address, wrong.done, wrong))
            raise RefusedError(
                f"{address} answers wrongly: {wrong}\n"
                "What is wrong with the function:"
                f" python -m release diagnose {stage.name if stage else 'STAGE'}"
            ) from None
    print_answer(_as_json(address, steps) if json else "\n".join(as_lines(steps)))


def _address(stage: Stage, url: str | None) -> str:
    if url:
        return api_url(url)
    outputs = stack_outputs(stage)
    if "ApiUrl" not in outputs:
        raise RefusedError(
            f"{stage.name} was never deployed, so there is no API to ask:"
            f" python -m release deploy {stage.name}"
        )
    return outputs["ApiUrl"]


def as_lines(steps: Sequence[Step]) -> list[str]:
    """Write a line for each answer: what was asked, its status, its milliseconds."""
    width = max((len(one.name) for one in steps), default=0)
    return [f"{one.name:{width}}  {one.status}  {one.milliseconds:7.1f} ms" for one in steps]


def _as_json(url: str, steps: Sequence[Step], wrong: PlayError | None = None) -> str:
    """Return what ``--json`` prints.

    ``{"url", "steps": [{"name", "status", "milliseconds"}], "failure": {"step", "found"}}``; the
    failure is null where every answer is right.
    """
    failure = {"step": wrong.step, "found": wrong.found} if wrong else None
    document = {"url": url, "steps": [asdict(one) for one in steps], "failure": failure}
    return json_.dumps(document, indent=2)
