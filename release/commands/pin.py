"""``python -m release pin``"""

from typing import Annotated

import msgspec
import typer

from config.image_lock import ImagePin
from config.project import project_here
from release.build.gates import require_gates
from release.build.record import read_record
from release.commands.options import JsonOption, StageArgument
from release.commands.output import pin_text, print_result, warn_skipped
from release.pin import pin_image


class PinResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A stage's new pin. ``skipped`` are the gates that its image has not passed.

    ``account`` and ``region`` are null with ``--push-later``, which asks no account.
    """

    stage: str
    account: str | None
    region: str | None
    pin: ImagePin
    skipped: tuple[str, ...]


RESULTS = (PinResult,)


def pin(
    stage: StageArgument,
    push_later: Annotated[
        bool,
        typer.Option(
            "--push-later",
            help="Do not check that the image is in the repository: `deploy` does.",
        ),
    ] = False,
    skip_check: Annotated[
        bool, typer.Option("--skip-check", help="Pin an image that has not passed `check`.")
    ] = False,
    skip_boot: Annotated[
        bool, typer.Option("--skip-boot", help="Pin an image that has not passed `boot`.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Pin the image that was built last for a stage: its next deployment runs it.

    The digest is written to image-lock.json, with the CPU, the base, the commit and the time; the
    pins of other stages stay. Nothing is deployed. Commit the file: `cdk synth` reads it.

    An image is refused that has not passed `check` and `boot`, is for another CPU, was not pushed
    to the stage's repository, or was not built from the committed source.

    **Examples**

    `python -m release pin dev`

    `python -m release pin prd --push-later`

    Exit status 0: pinned; 1: refused; 2: it could not be done. The lock file is changed only with
    exit status 0.
    """
    project = project_here()
    chosen = project.stage(stage)
    record = read_record(project.root, stage)
    skipped = require_gates(project.root, record, stage, skip_check=skip_check, skip_boot=skip_boot)
    warn_skipped(skipped)
    pinned = pin_image(project, chosen, record, push_later=push_later)
    result = PinResult(
        stage=stage,
        account=None if push_later else chosen.account,
        region=None if push_later else chosen.region,
        pin=pinned,
        skipped=tuple(skipped),
    )
    print_result("pin", result, pin_text(stage, pinned, project.lock.name), json=json)
