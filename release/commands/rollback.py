"""``python -m release rollback``"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer

from config.project import Stage, project_here
from imagecheck.terminal import say, step
from release.commands.deployment import DeploymentOptions, DeployResult, finish, run_deployment
from release.commands.options import (
    ApiUrlOption,
    DeploySkipBootOption,
    EmergencyOption,
    JsonOption,
    SkipLifecycleOption,
    SkipSmokeOption,
    StageArgument,
    YesOption,
)
from release.commands.output import print_result
from release.deploy.history import Release, read_history
from release.deploy.live import Packaging, read_live, stack_outputs
from release.deploy.rollback import choose, current_release, pinned
from release.deploy.signals import signals_as_interrupts
from release.deploy.smoke import api_url
from release.place import say_place


class ReleaseResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A release. ``version`` is that of the SSM parameter; what a zip does not have is null."""

    version: int
    written_at: str
    packaging: Packaging
    digest: str | None
    source_revision: str | None
    pinned_at: str | None
    live: bool


class ReleasesResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The releases of a stage, the newest first: the result of ``--list``."""

    stage: str
    account: str
    region: str
    releases: tuple[ReleaseResult, ...]


RESULTS = (DeployResult, ReleasesResult)


def rollback(
    stage: StageArgument,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="DIGEST",
            help="Roll back to this image, which has been deployed before.",
            show_default=False,
        ),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Print the releases, the newest first.")
    ] = False,
    emergency: EmergencyOption = False,
    skip_boot: DeploySkipBootOption = False,
    skip_lifecycle: SkipLifecycleOption = False,
    skip_smoke: SkipSmokeOption = False,
    url: ApiUrlOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Roll back to the previous image of a stage: pin it again, and deploy it.

    AWS keeps the history of releases, so any checkout can roll back. First, rollback checks that
    the image is still in the repository. A second rollback goes further back. The lock file is
    changed only when the deployment succeeds; commit it afterwards.

    The new version passes the same gates as any other; --emergency shifts all traffic at once.

    **Examples**

    `python -m release rollback dev`

    `python -m release rollback prd --list`

    `python -m release rollback prd --to sha256:... --emergency`

    Exit status 0: it is live and answers; 1: something stopped it; 2: it could not be done.
    """
    options = DeploymentOptions(
        command="rollback",
        emergency=emergency,
        skip_boot=skip_boot,
        skip_lifecycle=skip_lifecycle,
        skip_smoke=skip_smoke,
        url=api_url(url) if url else None,
        yes=yes,
        json=json,
    )
    project = project_here()
    chosen = project.stage(stage)
    say_place(chosen)
    with signals_as_interrupts():
        with step(f"reading the releases of {stage}"):
            history = read_history(chosen)
            live = read_live(chosen, stack_outputs(chosen))
        if list_:
            current = current_release(history, live)
            result = _releases(chosen, history, current)
            print_result("rollback", result, _list(chosen, history, current), json=json)
            return
        pin = choose(chosen, history, live, to)
        with pinned(project, chosen, pin):
            deployed = run_deployment(project, chosen, pin, options)
        say(
            f"{project.lock.name} pins it now: git add {project.lock.name} &&"
            f" git commit -m 'Roll {stage} back to {pin.source_revision[:12]}'"
        )
        finish(chosen, pin, options, deployed)


def _list(stage: Stage, history: Sequence[Release], current: Release | None) -> str:
    if not history:
        return f"{stage.name} was never deployed in {stage.place}\n{stage.elsewhere}"
    lines = [
        f"{'*' if release is current else ' '} {release.version:>3}  {release.written_at}  "
        + (
            f"{release.pin.digest}  {release.pin.source_revision[:12]}"
            f"  pinned {release.pin.pinned_at}"
            if release.pin
            else "a zip"
        )
        for release in reversed(history)
    ]
    return "\n".join([*lines, "* is live" if current else "none of these is live"])


def _releases(stage: Stage, history: Sequence[Release], current: Release | None) -> ReleasesResult:
    return ReleasesResult(
        stage=stage.name,
        account=stage.account,
        region=stage.region,
        releases=tuple(
            ReleaseResult(
                version=release.version,
                written_at=release.written_at,
                packaging=release.packaging,
                digest=release.pin.digest if release.pin else None,
                source_revision=release.pin.source_revision if release.pin else None,
                pinned_at=release.pin.pinned_at if release.pin else None,
                live=release is current,
            )
            for release in reversed(history)
        ),
    )
