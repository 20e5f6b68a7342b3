"""``python -m release deploy``"""

import json as json_
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from imagecheck.terminal import print_answer, say, step
from lambda_src.probe.play import PlayError, Step
from release.commands.smoke import as_lines
from release.deploy.cloud_assembly import CloudAssembly
from release.deploy.deploy import Deployed, OtherIsLiveError, StoppedError
from release.deploy.deploy import deploy as deploy_stage
from release.deploy.interruption import interruptions
from release.deploy.live import Packaging
from release.deploy.rollback import pinned
from release.deploy.smoke import api_url, smoke
from release.errors import CannotDoError, RefusedError
from release.project import Project, Stage, project_here
from stacks.image_lock import ImagePin, read_image_lock
from stacks.settings import ConfigurationError


@dataclass(frozen=True, kw_only=True)
class Options:
    """What `deploy` and `rollback` are told alike."""

    emergency: bool
    skip_lifecycle: bool
    skip_smoke: bool
    url: str | None
    yes: bool
    json: bool


EmergencyOption = Annotated[
    bool,
    typer.Option("--emergency", help="All traffic at once: no canary, no hook, no alarm, no boot."),
]
SkipLifecycleOption = Annotated[
    bool,
    typer.Option(
        "--skip-lifecycle", help="Do not look whether a rule can delete a deployed image."
    ),
]
SkipSmokeOption = Annotated[
    bool, typer.Option("--skip-smoke", help="Do not ask the API afterwards.")
]
UrlOption = Annotated[
    str | None,
    typer.Option(
        envvar="API_URL",
        help="Ask the API there, and not where the stack says that it is.",
        show_default=False,
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Let CDK widen permissions without asking.")]
AssemblyOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Deploy what `synth` left there, and synthesize nothing.",
        show_default=False,
    ),
]


def deploy(
    stage: Annotated[
        str, typer.Argument(metavar="STAGE", help="A stage of cdk.json.", show_default=False)
    ],
    packaging: Annotated[
        Packaging | None,
        typer.Option(
            help="zip: the same code without an image, as the way out. Left out: as in cdk.json.",
            show_default=False,
        ),
    ] = None,
    emergency: EmergencyOption = False,
    assembly: AssemblyOption = None,
    skip_lifecycle: SkipLifecycleOption = False,
    skip_smoke: SkipSmokeOption = False,
    url: UrlOption = None,
    yes: YesOption = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Deploy a stage with the image that the lock file pins for it, and see that it is live.

    First it is looked whether the image is in the repository and stays there. Then the CDK CLI
    deploys: the new version is asked by the pre-traffic hook, gets a tenth of the traffic, and the
    rest when no alarm has gone off. Then what Lambda runs is held against the pin, and the API is
    asked as a client would.

    With --assembly it is that assembly, with the image that was pinned when it was made; once it is
    deployed the lock file says so, too.

    Ctrl-C takes back what CloudFormation has begun: what was live stays live.

    **Examples**

    `python -m release deploy dev`

    `python -m release deploy prd --assembly build/assembly`

    `python -m release deploy prd --yes --json`

    `python -m release deploy dev --packaging zip`

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
    if assembly:
        if packaging or emergency:
            raise typer.BadParameter(
                "how an assembly deploys was said when it was made: leave out --packaging and"
                " --emergency, or --assembly"
            )
        synthesized = CloudAssembly(assembly.absolute())
        pin = synthesized.pin(where)
        with interruptions():
            with pinned(project, where, pin):
                result = deployed(project, where, pin, options, assembly=synthesized)
            finish(where, pin, options, result)
        return
    of_lock = _pinned(project, where) if (packaging or project.packaging) == "image" else None
    with interruptions():
        finish(where, of_lock, options, deployed(project, where, of_lock, options))


def deployed(
    project: Project,
    stage: Stage,
    pin: ImagePin | None,
    options: Options,
    *,
    assembly: CloudAssembly | None = None,
) -> Deployed:
    """Deploy; where a gate stops it, print that in JSON too. Raises the errors of ``deploy``."""
    ask = sys.stdin.isatty() and sys.stderr.isatty() and not options.yes
    try:
        return deploy_stage(
            project,
            stage,
            pin=pin,
            assembly=assembly,
            emergency=options.emergency,
            skip_lifecycle=options.skip_lifecycle,
            ask=ask,
        )
    except (StoppedError, OtherIsLiveError) as error:
        if options.json:
            gate, cause = (
                (error.stopped.gate, error.stopped.cause)
                if isinstance(error, StoppedError)
                else ("what is live", str(error).splitlines()[0])
            )
            print_answer(_as_json(stage, pin, options, failure={"gate": gate, "cause": cause}))
        raise


def finish(stage: Stage, pin: ImagePin | None, options: Options, result: Deployed) -> None:
    """Ask the API of what was deployed, and print the answer.

    Raises RefusedError when it answers wrongly, CannotDoError when it does not answer.
    """
    url = options.url or result.api_url
    steps: Sequence[Step] | None = None
    if options.skip_smoke:
        say("--skip-smoke: NOT asked whether the API answers")
    else:
        steps = _smoked(stage, pin, options, result, url)
    if options.json:
        print_answer(_as_json(stage, pin, options, result=result, steps=steps))
    else:
        print_answer("\n".join(_lines(stage, options, result, url, steps)))


def _smoked(
    stage: Stage, pin: ImagePin | None, options: Options, result: Deployed, url: str
) -> Sequence[Step]:
    name = f"{stage.name} is deployed (version {result.after.version})"
    try:
        with step(f"asking {url}"):
            return smoke(url)
    except PlayError as wrong:
        if options.json:
            failure = {"gate": "smoke", "cause": str(wrong)}
            answer = _as_json(stage, pin, options, result=result, steps=wrong.done, failure=failure)
            print_answer(answer)
        raise RefusedError(
            f"{name}, but {url} answers wrongly: {wrong}\n"
            f"What is wrong: python -m release diagnose {stage.name}\n"
            f"Go back with: python -m release rollback {stage.name}"
        ) from None
    except CannotDoError as error:
        raise CannotDoError(
            f"{name}, but its API was not asked to the end: {error}\n"
            f"Ask again with: python -m release smoke {url}"
        ) from None
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"but {name}; its API was not asked to the end: python -m release smoke {url}"
        ) from None


def _pinned(project: Project, stage: Stage) -> ImagePin:
    try:
        pin = read_image_lock(project.lock).get(stage.name)
    except ConfigurationError as error:
        raise CannotDoError(str(error)) from None
    if pin is None:
        raise RefusedError(
            f"no image is pinned for {stage.name} in {project.lock.name}: run"
            f" `python -m release build {stage.name}`, then check, boot, push and pin"
            " (or deploy the same code with --packaging zip)"
        )
    return pin


def _lines(
    stage: Stage,
    options: Options,
    result: Deployed,
    url: str,
    steps: Sequence[Step] | None,
) -> list[str]:
    before, after = result.before, result.after
    return [
        f"{stage.name} is live" + (", deployed as an EMERGENCY" if options.emergency else ""),
        f"  runs     {after.digest or 'a zip'}",
        f"  version  {before.version if before else 'none'} → {after.version}"
        f" of {after.function_name}",
        f"  API      {url}",
        *(f"  {line}" for line in as_lines(steps or [])),
    ]


def _as_json(
    stage: Stage,
    pin: ImagePin | None,
    options: Options,
    *,
    result: Deployed | None = None,
    steps: Sequence[Step] | None = None,
    failure: dict[str, str] | None = None,
) -> str:
    """Return what ``--json`` prints once something was deployed, or stopped.

    ``{"stage", "packaging", "digest", "emergency", "functionName", "versionBefore",
    "versionAfter", "apiUrl", "steps": [{"name", "status", "milliseconds"}], "failure": {"gate",
    "cause"}}``. The digest is null for a zip; from ``functionName`` to ``steps`` what is not known
    is null; ``failure`` is null where all is well.
    """
    before = result.before if result else None
    document: dict[str, Any] = {
        "stage": stage.name,
        "packaging": "image" if pin else "zip",
        "digest": pin.digest if pin else None,
        "emergency": options.emergency,
        "functionName": result.after.function_name if result else None,
        "versionBefore": before.version if before else None,
        "versionAfter": result.after.version if result else None,
        "apiUrl": result.api_url if result else None,
        "steps": None if steps is None else [asdict(one) for one in steps],
        "failure": failure,
    }
    return json_.dumps(document, indent=2)
