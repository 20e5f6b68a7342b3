"""``python -m release rollback``"""

import json as json_
from collections.abc import Sequence
from typing import Annotated

import typer

from imagecheck.terminal import print_answer, say, step
from release.commands.deploy import (
    EmergencyOption,
    Options,
    SkipLifecycleOption,
    SkipSmokeOption,
    UrlOption,
    YesOption,
    deployed,
    finish,
)
from release.deploy.history import Release, read_history
from release.deploy.interruption import interruptions
from release.deploy.live import read_live, stack_outputs
from release.deploy.rollback import choose, current_release, pinned
from release.deploy.smoke import api_url
from release.project import Stage, project_here


def rollback(
    stage: Annotated[
        str, typer.Argument(metavar="STAGE", help="A stage of cdk.json.", show_default=False)
    ],
    to: Annotated[
        str | None,
        typer.Option(
            metavar="DIGEST",
            help="The image to go back to, which has been deployed before.",
            show_default=False,
        ),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Print what was deployed, the newest first.")
    ] = False,
    emergency: EmergencyOption = False,
    skip_lifecycle: SkipLifecycleOption = False,
    skip_smoke: SkipSmokeOption = False,
    url: UrlOption = None,
    yes: YesOption = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Go back to the image that a stage ran before: pin it again, and deploy it.

    What was deployed is known from AWS, so any checkout can do it. That the image is still there is
    looked at first. A rollback after a rollback goes further back. The lock file stays as it was
    unless the deployment succeeds; afterwards it is to be committed.

    The new version is watched like any other; --emergency gives it all traffic at once.

    **Examples**

    `python -m release rollback dev`

    `python -m release rollback prd --list`

    `python -m release rollback prd --to sha256:... --emergency`

    Exit status 0: it is live and answers; 1: something stopped it; 2: it could not be done.
    """
    options = Options(
        emergency=emergency,
        skip_lifecycle=skip_lifecycle,
        skip_smoke=skip_smoke,
        url=api_url(url) if url else None,
        yes=yes,
        json=json,
    )
    project = project_here()
    where = project.stage(stage)
    with interruptions():
        with step(f"looking at what was deployed at {stage}"):
            history = read_history(where)
            live = read_live(where, stack_outputs(where))
        if list_:
            current = current_release(history, live)
            answer = _list_as_json if json else _list_as_text
            print_answer(answer(where, history, current))
            return
        pin = choose(where, history, live, to)
        with pinned(project, where, pin):
            result = deployed(project, where, pin, options)
        say(
            f"{project.lock.name} pins it now: git add {project.lock.name} &&"
            f" git commit -m 'Roll {stage} back to {pin.source_revision[:12]}'"
        )
        finish(where, pin, options, result)


def _list_as_text(stage: Stage, history: Sequence[Release], current: Release | None) -> str:
    if not history:
        return f"{stage.name} was never deployed"
    lines = [
        f"{'*' if one is current else ' '} {one.version:>3}  {one.written_at}  "
        + (
            f"{one.pin.digest}  {one.pin.source_revision[:12]}  pinned {one.pin.pinned_at}"
            if one.pin
            else "a zip"
        )
        for one in reversed(history)
    ]
    return "\n".join([*lines, "* is live" if current else "none of these is live"])


def _list_as_json(stage: Stage, history: Sequence[Release], current: Release | None) -> str:
    """Return what ``--list --json`` prints.

    ``{"stage", "releases": [{"version", "writtenAt", "packaging", "digest", "sourceRevision",
    "pinnedAt", "live"}]}``, the newest first; ``version`` is the SSM parameter's, and what a zip
    does not have is null.
    """
    releases = [
        {
            "version": one.version,
            "writtenAt": one.written_at,
            "packaging": one.packaging,
            "digest": one.pin.digest if one.pin else None,
            "sourceRevision": one.pin.source_revision if one.pin else None,
            "pinnedAt": one.pin.pinned_at if one.pin else None,
            "live": one is current,
        }
        for one in reversed(history)
    ]
    return json_.dumps({"stage": stage.name, "releases": releases}, indent=2)
