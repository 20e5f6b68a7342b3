"""``python -m release synth``"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from imagecheck.terminal import print_answer, step
from release.deploy.cloud_assembly import ASSEMBLY, synthesize
from release.deploy.interruption import interruptions
from release.project import project_here
from stacks.image_lock import ImagePin

_UNPINNED = "no image is pinned: its registry alone"


def synth(
    stages: Annotated[
        list[str],
        typer.Argument(metavar="STAGE...", help="Stages of cdk.json.", show_default=False),
    ],
    to: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the cloud assembly is left.")
    ] = ASSEMBLY,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Synthesize stages once, into one cloud assembly that `deploy` and `page` take.

    What is deployed to one stage and then to the next is so the same files: templates, the page,
    and the images that the lock file pins. It names no account, and needs no credentials. A stage
    without a pinned image has its registry alone in it, as in `cdk synth`.

    **Examples**

    `python -m release synth dev prd`

    `python -m release deploy dev --assembly build/assembly`

    Exit status 0: it is there; 2: it could not be made.
    """
    project = project_here()
    chosen = [project.stage(stage) for stage in stages]
    with interruptions(), step(f"synthesizing {', '.join(stages)}"):
        pins = synthesize(project, chosen, to.absolute())
    print_answer(_as_json(to, pins) if json else _as_text(to, pins))


def _as_text(folder: Path, pins: Mapping[str, ImagePin | None]) -> str:
    width = max(map(len, pins))
    return "\n".join(
        (
            typer.style(str(folder), bold=True),
            *(
                f"  {stage:{width}}  {pin.digest if pin else _UNPINNED}"
                for stage, pin in pins.items()
            ),
            "",
            f"next: python -m release deploy {next(iter(pins))} --assembly {folder}",
        )
    )


def _as_json(folder: Path, pins: Mapping[str, ImagePin | None]) -> str:
    """Return what ``--json`` prints: ``{"assembly", "pins": {stage: as in the lock file}}``."""
    fields = {"assembly": str(folder), "pins": pins}
    return msgspec.json.format(msgspec.json.encode(fields), indent=2).decode()
