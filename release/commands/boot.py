"""``python -m release boot``"""

from typing import Annotated

import typer

from imagecheck.image.layer_cache import LayerCache, default_folder
from imagecheck.image.reference import FORMS, parse_reference
from imagecheck.progress import ProgressBar
from imagecheck.terminal import print_answer
from release.boot.answer import as_json, as_text
from release.boot.boot import EngineName, boot_image
from release.errors import CannotDoError
from release.project import now, project_here
from release.record import LAYOUT, note_passed

_BUILT = f"oci:{LAYOUT.as_posix()}"


def boot(
    stage: Annotated[
        str, typer.Argument(metavar="STAGE", help="A stage of cdk.json.", show_default=False)
    ],
    image: Annotated[str, typer.Option(metavar="IMAGE", help=FORMS)] = _BUILT,
    engine: Annotated[
        EngineName | None,
        typer.Option(
            help="What it is started in; sandbox is bubblewrap, without Docker. Left out: that,"
            " where it is installed.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Start an image on this machine as Lambda would, and ask it what players ask.

    The image's own ENTRYPOINT and CMD run under a Lambda Runtime API: as another user than the
    files', on a read-only root with only /tmp to write to, with the stage's memory, timeout and
    environment, and with a DynamoDB of its own that is thrown away. Then a room is made, joined,
    read and left. An image of another CPU than the function's fails here also where this machine
    could run it.

    That the image of the last `build` has passed is noted: `push` and `pin` ask for it.

    **Examples**

    `python -m release boot dev`

    `python -m release boot dev --image docker://localhost:5000/rooms@sha256:...`

    `python -m release boot prd --engine docker --json`

    Exit status 0: it starts and answers; 1: it does not; 2: it could not be found out here, for
    one because this machine's CPU is not the function's.
    """
    project = project_here()
    found = project.stage(stage)
    if image == _BUILT and not (project.root / LAYOUT).exists():
        raise CannotDoError(f"nothing has been built here: run `python -m release build {stage}`")
    with ProgressBar() as progress:
        answer = boot_image(
            project,
            found,
            parse_reference(image),
            engine=engine,
            cache=LayerCache(default_folder()),
            progress=progress,
        )
    digest, architecture = answer.subject.image.digest, answer.subject.function.architecture
    noted = answer.failure is None and note_passed(
        project.root, digest, architecture, "boot", now()
    )
    print_answer(
        as_json(answer, noted=noted) if json else as_text(answer, stage=stage, noted=noted)
    )
    raise typer.Exit(int(answer.failure is not None))
