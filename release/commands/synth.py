"""``python -m release synth``"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from config.image_lock import ImagePin
from config.project import project_here
from release.cloud_assembly import ASSEMBLY, synthesize
from release.commands.options import JsonOption
from release.commands.output import print_result
from release.deploy.signals import signals_as_interrupts

_NOT_PINNED = "no image is pinned: only its registry"


class SynthResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A cloud assembly, and the pin of each stage in it; null where no image is pinned."""

    assembly: str
    pins: dict[str, ImagePin | None]


RESULTS = (SynthResult,)


def synth(
    stages: Annotated[
        list[str],
        typer.Argument(metavar="STAGE...", help="Stages of cdk.json.", show_default=False),
    ],
    to: Annotated[
        Path, typer.Option(metavar="DIR", help="Write the cloud assembly to this folder.")
    ] = ASSEMBLY,
    skip_validation: Annotated[
        bool, typer.Option("--skip-validation", help="Leave CDK's validation of templates out.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Synthesize stages once, into one cloud assembly that `deploy` and `page` take.

    So one stage after the other is deployed from the same files: templates, page, and pinned
    images. The assembly names no account, and needs no credentials. Its templates have passed CDK's
    validation: one that `ship` has made of the same source, stages and pins is taken as it is, and
    otherwise they are validated here. A pull request skips that, since `make test` has done it. For
    a stage without a pinned image it has the registry stack alone, as `cdk synth` does.

    **Examples**

    `python -m release synth dev prd`

    `python -m release deploy dev --assembly build/assembly`

    Exit status 0: it is there; 2: it could not be made.
    """
    project = project_here()
    chosen = [project.stage(stage) for stage in stages]
    with signals_as_interrupts():
        pins = synthesize(project, chosen, to.absolute(), is_gate=not skip_validation)
    print_result("synth", SynthResult(assembly=str(to), pins=pins), _text(to, pins), json=json)


def _text(folder: Path, pins: Mapping[str, ImagePin | None]) -> str:
    width = max(map(len, pins))
    return "\n".join(
        (
            typer.style(str(folder), bold=True),
            *(
                f"  {stage:{width}}  {pin.digest if pin else _NOT_PINNED}"
                for stage, pin in pins.items()
            ),
            "",
            f"next: python -m release deploy {next(iter(pins))} --assembly {folder}",
        )
    )
