"""``python -m release smoke``"""

import json as json_
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from lambda_src.probe.play import PlayError, Step
from release.deploy.interruption import interruptions
from release.deploy.smoke import api_url
from release.deploy.smoke import smoke as play_smoke
from release.errors import RefusedError
from release.terminal import print_answer, step


def smoke(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="Where the API is: output ApiUrl of the stack.", show_default=False
        ),
    ],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Play the contract of the API as a client: create a room, join it, get it, leave it.

    Each answer is held against the contract, and its time is measured, network and all. The room is
    gone afterwards. Nothing is asked a second time: what a player would not get is a failure.

    **Examples**

    `python -m release smoke https://abc123.execute-api.ap-northeast-1.amazonaws.com`

    `python -m release smoke http://127.0.0.1:3000 --json`

    Exit status 0: every answer is right; 1: one is wrong; 2: the API cannot be reached.
    """
    address = api_url(url)
    with interruptions():
        try:
            with step(f"asking {address}"):
                steps = play_smoke(address)
        except PlayError as wrong:
            if json:
                print_answer(_as_json(address, wrong.done, wrong))
            raise RefusedError(
                f"{address} answers wrongly: {wrong}\n"
                "What is wrong with the function: python -m release diagnose STAGE"
            ) from None
    print_answer(_as_json(address, steps) if json else "\n".join(as_lines(steps)))


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
