"""``python -m release ship``"""

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, TextIO

import typer

from config.file_lock import waiting_for_lock
from config.project import Project, Stage, project_here
from imagecheck.errors import CommandError, FailedError, UsageError
from imagecheck.function import Architecture
from imagecheck.terminal import say, warn
from release.boot.engine import choose_engine
from release.build.builder import choose_builder
from release.build.record import BUILD
from release.commands.options import (
    BuildArgOption,
    BuilderOption,
    JsonOption,
    build_arguments,
)
from release.commands.output import print_result, result_fields
from release.deploy.signals import signals_as_interrupts
from release.errors import RefusedError
from release.pin import require_clean
from release.ship.answer import ShipResult, as_text, result_of
from release.ship.architecture import require_cpu, set_architecture
from release.ship.lock_change import LockChange
from release.ship.ship import BUILT, LOG, PROMOTED, WITHOUT_AWS, Journey, confirmed
from release.ship.shipment import Shipment, ShipOptions
from release.ship.step import Step

Until = Literal["build", "synth", "check", "boot"]


RESULTS = (ShipResult,)


def ship(
    stages: Annotated[
        list[str],
        typer.Argument(
            metavar="STAGE...",
            help="The stage to ship to; further stages get the same image, one after the other.",
            show_default=False,
        ),
    ],
    until: Annotated[
        Until | None,
        typer.Option(
            help="Stop after this step, for the first stage; the assembly has all of them. No AWS"
            " account is asked.",
            show_default=False,
        ),
    ] = None,
    architecture: Annotated[
        Architecture | None,
        typer.Option(
            help="First make the functions of these stages run on this CPU: it is written into"
            " cdk.json, and committed.",
            show_default=False,
        ),
    ] = None,
    builder: BuilderOption = None,
    build_arg: BuildArgOption = None,
    skip_boot: Annotated[
        bool,
        typer.Option(
            "--skip-boot",
            help="Do not find out whether the image starts: the pre-traffic hook is the gate that"
            " remains, and a first deployment has none.",
        ),
    ] = False,
    no_commit: Annotated[
        bool, typer.Option("--no-commit", help="Do not commit the lock file.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Answer every question with yes.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be run, and change nothing.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Ship the committed source to a stage: run every step of a release that is missing.

    In this order: bootstrap the account for the CDK (asks), build, synth (with CDK's validation of
    the templates), deploy the registry, check, boot, push, pin, commit the lock file (asks),
    deploy, page, smoke. What is done already
    is left out: gates are kept by the digest of the image, and a build that gives the same digest
    keeps them. The first gate that says no stops everything; run the command again to go on.

    With further stages, ship asks whether to promote the image once a stage is live, and takes it
    there: promote, commit, deploy, page, smoke.

    The output of every step is in build/ship.log; that of the CDK CLI is shown when it fails. The
    CDK CLI does not ask before it changes permissions: `diff` shows what it would change.

    Ctrl-C takes back the pin and its commit, and leaves what is live. One ship at a time runs in a
    checkout: a second one waits.

    **Examples**

    `python -m release ship dev`

    `python -m release ship dev prd`

    `python -m release ship dev --dry-run`

    `python -m release ship dev prd --until boot --builder buildah`

    Exit status 0: live, and it answers; 1: a gate said no; 2: it could not be done.
    """
    ask = sys.stdin.isatty() and sys.stderr.isatty() and not (yes or json)
    options = ShipOptions(
        again=f"python -m release {shlex.join(sys.argv[1:])}",
        builder=builder,
        build_arguments=build_arguments(build_arg),
        skip_boot=skip_boot,
        commit=not no_commit,
        yes=yes,
        ask=ask,
    )
    project = project_here()
    chosen = [project.stage(name) for name in stages]
    _require_usable(chosen, options, until=until, architecture=architecture, dry_run=dry_run)
    with signals_as_interrupts(), _alone(project, dry_run=dry_run):
        _require_clean(project, must=until is None)
        if until is None:
            # Who may not ask AWS hears of it before anything is changed.
            for stage in chosen:
                _ = stage.account
        if architecture and not dry_run and set_architecture(project, chosen, architecture):
            project = project_here()
            chosen = [project.stage(name) for name in stages]
        project, chosen = _with_cpu(project, chosen, options, dry_run=dry_run)
        if not dry_run:
            choose_builder(builder)
            _ = skip_boot or choose_engine(None)
        shipments = _shipments(project, chosen, options, asks_aws=until is None)
        _run(project, shipments, until=until, dry_run=dry_run, json=json)


@contextmanager
def _alone(project: Project, *, dry_run: bool) -> Iterator[None]:
    """Let one ship at a time into a checkout: they share the image, the log and the branch."""
    if dry_run:
        yield
        return
    with waiting_for_lock(project.root / BUILD / "ship.lock", "another ship in this checkout"):
        yield


def _require_usable(
    stages: list[Stage],
    options: ShipOptions,
    *,
    until: Until | None,
    architecture: Architecture | None,
    dry_run: bool,
) -> None:
    if len({stage.name for stage in stages}) != len(stages):
        raise UsageError("a stage is named twice", hint="name each stage once")
    if len(stages) > 1 and not options.commit:
        raise UsageError(
            "only a committed pin is promoted", hint="leave out --no-commit, or the other stages"
        )
    if architecture and not options.commit:
        raise UsageError(
            "--architecture changes cdk.json, and only what is committed is shipped",
            hint=f'leave out --no-commit, or write "architecture": "{architecture}" into cdk.json'
            " and commit it",
        )
    nobody_answers = not (options.ask or options.yes or dry_run or until)
    if nobody_answers and (options.commit or len(stages) > 1):
        raise UsageError(
            "there is no terminal to ask on",
            hint="answer every question with yes: --yes\n"
            "or commit the lock file yourself, in an account that is bootstrapped: --no-commit",
        )


def _require_clean(project: Project, *, must: bool) -> None:
    """Require that the work tree is a commit, before anything takes time."""
    try:
        require_clean(project)
    except RefusedError as error:
        if must:
            raise
        warn(f"warning: {error.message}: `push` will refuse the image")


def _with_cpu(
    project: Project, stages: list[Stage], options: ShipOptions, *, dry_run: bool
) -> tuple[Project, list[Stage]]:
    """Return project and stages once their functions are for a CPU that can be released here."""
    if options.skip_boot:
        return project, stages
    chosen = require_cpu(stages, ask=options.ask and not dry_run)
    if chosen and set_architecture(project, stages, chosen):
        project = project_here()
        stages = [project.stage(stage.name) for stage in stages]
    return project, stages


def _shipments(
    project: Project, stages: list[Stage], options: ShipOptions, *, asks_aws: bool
) -> list[Shipment]:
    shipments: list[Shipment] = []
    for stage in stages:
        shipments.append(
            Shipment(
                project=project,
                stage=stage,
                account=stage.account if asks_aws else "",
                options=options,
                lock_change=LockChange(project, stage.name),
                source=shipments[-1] if shipments else None,
            )
        )
    shipments[0].others = tuple(shipments[1:])
    return shipments


def _run(
    project: Project,
    shipments: list[Shipment],
    *,
    until: Until | None,
    dry_run: bool,
    json: bool,
) -> None:
    with _log(project, dry_run=dry_run) as log:
        journey = Journey(project, log, dry_run=dry_run)
        try:
            for shipment in shipments:
                # Nothing is promoted; the others are in the assembly.
                if shipment.source and until:
                    break
                if shipment.source and not dry_run and not _goes_on(shipment):
                    break
                say(_heading(shipment))
                shipment.lock_change.keep()
                journey.ship(shipment, _steps(shipment, until))
        except CommandError as error:
            error.result = result_fields(result_of(journey, shipments))
            raise
    result = result_of(journey, shipments)
    print_result("ship", result, as_text(result, shipments, until), json=json)


def _steps(shipment: Shipment, until: Until | None) -> Sequence[Step]:
    if until:
        names = [step.name for step in WITHOUT_AWS]
        return WITHOUT_AWS[: names.index(until) + 1]
    return PROMOTED if shipment.source else BUILT


def _goes_on(shipment: Shipment) -> bool:
    assert shipment.source  # noqa: S101  (it is asked for stages that have one)
    source, target = shipment.source.stage.name, shipment.stage.name
    question = f"{source} is live. Take its image to {target}?"
    return shipment.options.yes or confirmed(question, default=False)


def _heading(shipment: Shipment) -> str:
    stage = shipment.stage
    return f"{stage.name}: {stage.place}" if shipment.account else stage.name


def _log(project: Project, *, dry_run: bool) -> TextIO:
    # What runs nothing leaves the log of the ship before it, which may be running, alone.
    path = Path(os.devnull) if dry_run else project.root / LOG
    try:
        path.parent.mkdir(exist_ok=True)
        return path.open("w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise FailedError(f"{path} cannot be written: {error.strerror}") from error
