"""``python -m release deploy``"""

from typing import Annotated

import typer

from config.image_lock import ImagePin, read_image_lock
from config.project import Project, Stage, project_here
from imagecheck.errors import UsageError
from release.cloud_assembly import CloudAssembly
from release.commands.deployment import DeploymentOptions, DeployResult, finish, run_deployment
from release.commands.options import (
    ApiUrlOption,
    AssemblyOption,
    DeploySkipBootOption,
    EmergencyOption,
    JsonOption,
    SkipLifecycleOption,
    SkipSmokeOption,
    StageArgument,
    YesOption,
)
from release.deploy.assembly_region import require_region
from release.deploy.live import Packaging
from release.deploy.rollback import pinned
from release.deploy.signals import signals_as_interrupts
from release.deploy.smoke import api_url
from release.errors import RefusedError
from release.place import say_place

RESULTS = (DeployResult,)


def deploy(
    stage: StageArgument,
    packaging: Annotated[
        Packaging | None,
        typer.Option(
            help="zip deploys the same code without an image. Default: the packaging in cdk.json.",
            show_default=False,
        ),
    ] = None,
    emergency: EmergencyOption = False,
    assembly: AssemblyOption = None,
    skip_boot: DeploySkipBootOption = False,
    skip_lifecycle: SkipLifecycleOption = False,
    skip_smoke: SkipSmokeOption = False,
    import_existing: Annotated[
        bool,
        typer.Option(
            "--import-existing-resources",
            help="Take over a table and a repository that are there and in no stack: left by a"
            " stack that was deleted, or restored from a backup.",
        ),
    ] = False,
    url: ApiUrlOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Deploy a stage with the image that is pinned for it, and test that it is live.

    First, deploy checks that the image is in the repository and stays there. Then the CDK CLI
    deploys: the pre-traffic hook tests the new version, a tenth of the traffic is shifted to it,
    and the rest when no alarm goes off. At the end, deploy compares what Lambda runs with the pin,
    and runs the contract test against the API.

    With --assembly, that cloud assembly is deployed, with the image that was pinned when it was
    made; once it is live the lock file names that image too.

    A change between image and zip replaces the function: the log of the old one stays, and deploy
    writes the list of its versions into it.

    Ctrl-C cancels the deployment: CloudFormation rolls back, and what was live stays live.

    **Examples**

    `python -m release deploy dev`

    `python -m release deploy prd --assembly build/assembly`

    `python -m release deploy prd --yes --json`

    `python -m release deploy dev --packaging zip`

    `python -m release deploy prd --import-existing-resources`

    Exit status 0: it is live and answers; 1: something stopped it; 2: it could not be done.
    """
    options = DeploymentOptions(
        command="deploy",
        emergency=emergency,
        skip_boot=skip_boot,
        skip_lifecycle=skip_lifecycle,
        skip_smoke=skip_smoke,
        import_existing=import_existing,
        url=api_url(url) if url else None,
        yes=yes,
        json=json,
    )
    project = project_here()
    chosen = project.stage(stage)
    if assembly:
        if packaging or emergency:
            raise UsageError(
                "an assembly was made with its packaging and its way of deploying",
                hint="leave out --packaging and --emergency, or --assembly",
            )
        cloud_assembly = CloudAssembly(assembly.absolute())
        pin = cloud_assembly.pin(chosen)
        require_region(cloud_assembly, chosen)
        say_place(chosen)
        with signals_as_interrupts():
            with pinned(project, chosen, pin):
                deployed = run_deployment(project, chosen, pin, options, assembly=cloud_assembly)
            finish(chosen, pin, options, deployed)
        return
    wanted = _pin(project, chosen) if (packaging or project.packaging) == "image" else None
    say_place(chosen)
    with signals_as_interrupts():
        finish(chosen, wanted, options, run_deployment(project, chosen, wanted, options))


def _pin(project: Project, stage: Stage) -> ImagePin:
    pin = read_image_lock(project.lock).get(stage.name)
    if pin is None:
        raise RefusedError(
            f"no image is pinned for {stage.name} in {project.lock.name}",
            hint="build an image and take it through its gates:"
            f" python -m release ship {stage.name}\n"
            "or deploy the same code without an image:"
            f" python -m release deploy {stage.name} --packaging zip",
        )
    return pin
