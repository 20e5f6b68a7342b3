"""``python -m release boot``"""

from typing import Annotated

import typer

from config.project import now, project_here
from imagecheck.errors import FailedError
from imagecheck.image.layer_cache import LayerCache, default_folder
from imagecheck.image.reference import FORMS, parse_reference
from imagecheck.progress import ProgressBar
from release.boot.answer import BootResult, as_text, result_of
from release.boot.boot import boot_image
from release.boot.engine import EngineName
from release.build.gates import Passed, note_gate
from release.build.record import LAYOUT
from release.commands.options import JsonOption, StageArgument
from release.commands.output import print_result

RESULTS = (BootResult,)
_BUILT = f"oci:{LAYOUT.as_posix()}"


def boot(
    stage: StageArgument,
    image: Annotated[str, typer.Option(metavar="IMAGE", help=f"The image: {FORMS}")] = _BUILT,
    engine: Annotated[
        EngineName | None,
        typer.Option(
            help="Start it in docker, or in a sandbox (bubblewrap). Default: the sandbox, where it"
            " is installed.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Start an image on this machine as Lambda would, and run the contract test against it.

    The image's own ENTRYPOINT and CMD run under a Lambda Runtime API: as a user who owns none of
    the files, on a read-only root with only /tmp to write to, with the stage's memory, timeout and
    environment, and with a DynamoDB Local of its own. Then a room is created, joined, read and
    left. An image for another CPU than the function's fails, even where this machine could run it.
    Where this machine has another CPU than the function, the image runs under QEMU's user mode, if
    that is installed, and the result says so.

    When the image of the last `build` passes, its record says so: `push` and `pin` require it.

    **Examples**

    `python -m release boot dev`

    `python -m release boot dev --image docker://localhost:5000/rooms@sha256:...`

    `python -m release boot prd --engine docker --json`

    Exit status 0: it starts and answers; 1: it does not; 2: unknown, for example because this
    machine's CPU is not the function's and there is no QEMU.
    """
    project = project_here()
    chosen = project.stage(stage)
    if image == _BUILT and not (project.root / LAYOUT).exists():
        raise FailedError("no image has been built here", hint=f"python -m release build {stage}")
    with ProgressBar() as progress:
        booted = boot_image(
            project,
            chosen,
            parse_reference(image),
            engine=engine,
            cache=LayerCache(default_folder()),
            progress=progress,
        )
    digest, architecture = booted.subject.image.digest, booted.subject.function.architecture
    passed = booted.failure is None
    noted = Passed(at=now(), architecture=architecture, function=booted.function_key)
    recorded = (
        note_gate(project.root, digest, architecture, "boot", noted if passed else None) and passed
    )
    print_result(
        "boot",
        result_of(booted, recorded=recorded),
        as_text(booted, stage=stage, recorded=recorded),
        json=json,
        ok=passed,
    )
    raise typer.Exit(int(not passed))
