"""``python -m release pin``"""

from typing import Annotated

import msgspec
import typer

from imagecheck.terminal import print_answer
from release.pin import pin_image
from release.project import project_here
from release.record import read_record, require_gates
from release.skipping import say_skipped
from stacks.image_lock import ImagePin


def pin(
    stage: Annotated[
        str, typer.Argument(metavar="STAGE", help="A stage of cdk.json.", show_default=False)
    ],
    push_later: Annotated[
        bool,
        typer.Option(
            "--push-later",
            help="Do not look whether the image is in the repository: `deploy` will.",
        ),
    ] = False,
    skip_check: Annotated[
        bool, typer.Option("--skip-check", help="Pin what has not passed `check`.")
    ] = False,
    skip_boot: Annotated[
        bool, typer.Option("--skip-boot", help="Pin what has not passed `boot`.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let a stage run the image that was built last, from its next deployment on.

    The digest goes into image-lock.json, with the CPU, the base, the commit and the time; the pins
    of the other stages stay. Nothing is deployed. Commit the file: it is what `cdk synth` reads.

    Refused is an image that has not passed `check` and `boot`, is for another CPU, was not pushed
    to the stage's repository, or is not of the source that is here, all of it committed.

    **Examples**

    `python -m release pin dev`

    `python -m release pin prd --push-later`

    Exit status 0: pinned; 1: refused, and the file is as it was; 2: it could not be found out, and
    the file is as it was.
    """
    project = project_here()
    where = project.stage(stage)
    record = read_record(project.root)
    skipped = require_gates(record, skip_check=skip_check, skip_boot=skip_boot)
    say_skipped(skipped)
    pinned = pin_image(project, where, record, push_later=push_later)
    print_answer(
        _as_json(stage, pinned, skipped) if json else as_text(stage, pinned, project.lock.name)
    )


def as_text(stage: str, pinned: ImagePin, lock: str) -> str:
    """Show a pin, and what is to be done with it."""
    return "\n".join(
        (
            typer.style(f"{stage}: {pinned.digest}", bold=True),
            f"  image    {pinned.architecture}",
            f"  base     {pinned.base_digest}",
            f"  source   {pinned.source_revision}",
            f"  pinned   {pinned.pinned_at}",
            "",
            f'next: git add {lock} && git commit -m "Pin {stage}"',
            f"      python -m release deploy {stage}",
        )
    )


def _as_json(stage: str, pinned: ImagePin, skipped: list[str]) -> str:
    fields = {"stage": stage, "pin": pinned, "skipped": skipped}
    return msgspec.json.format(msgspec.json.encode(fields), indent=2).decode()
