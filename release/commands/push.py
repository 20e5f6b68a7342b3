"""``python -m release push``"""

from typing import Annotated

import msgspec
import typer

from config.project import project_here
from imagecheck.errors import UsageError
from imagecheck.image.reference import (
    FORMS,
    InvalidReferenceError,
    RegistryReference,
    parse_reference,
)
from imagecheck.progress import ProgressBar
from imagecheck.terminal import step
from release.build.gates import require_gates
from release.build.record import LAYOUT, read_record
from release.commands.options import JsonOption, StageArgument
from release.commands.output import print_result, warn_skipped
from release.pin import changed_now
from release.place import say_place
from release.registry.push_image import Arrived, push_image, require_commit


class PushResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The image in its repository. ``skipped`` are the gates that it has not passed.

    ``account`` and ``region`` are null where ``--to`` names the repository.
    """

    stage: str
    account: str | None
    region: str | None
    repository: str
    digest: str
    tag: str
    was_there: bool
    sent_bytes: int
    skipped: tuple[str, ...]


RESULTS = (PushResult,)


def push(
    stage: StageArgument,
    image: Annotated[
        str, typer.Option(metavar="IMAGE", help=f"The image: {FORMS}")
    ] = f"oci:{LAYOUT}",
    to: Annotated[
        str | None,
        typer.Option(
            metavar="docker://HOST/REPOSITORY",
            help="Push to this repository, not to the stage's in ECR.",
            show_default=False,
        ),
    ] = None,
    skip_check: Annotated[
        bool, typer.Option("--skip-check", help="Push an image that has not passed `check`.")
    ] = False,
    skip_boot: Annotated[
        bool, typer.Option("--skip-boot", help="Push an image that has not passed `boot`.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Push the image that was built last, and verify that it arrived as it was checked.

    It goes to the stage's ECR repository, with the AWS credentials that boto3 finds, tagged with
    the commit that it was built from; no Docker is needed. Layers that are there are not sent
    again. The manifest goes last and is read back, so a push that breaks off leaves nothing to
    deploy: run it again.

    A build with uncommitted changes is refused: no commit names it. Tags do not move.

    **Examples**

    `python -m release push dev`

    `python -m release push dev --to docker://localhost:5000/rooms`

    Exit status 0: it is there; 1: refused; 2: it could not be pushed.
    """
    project = project_here()
    chosen = project.stage(stage)
    record = read_record(project.root, stage)
    destination = _repository(to) if to is not None else None
    skipped = require_gates(project.root, record, stage, skip_check=skip_check, skip_boot=skip_boot)
    require_commit(chosen, record, changed=changed_now(project) if record.dirty else "")
    if destination is None:
        say_place(chosen)
    warn_skipped(skipped)
    with step(f"pushing {record.digest}"), ProgressBar("pushing layers") as progress:
        arrived = push_image(
            chosen, record, parse_reference(image), to=destination, progress=progress
        )
    result = PushResult(
        stage=stage,
        account=None if destination else chosen.account,
        region=None if destination else chosen.region,
        repository=arrived.repository,
        digest=arrived.pushed.digest,
        tag=arrived.tag,
        was_there=arrived.pushed.was_there,
        sent_bytes=arrived.pushed.sent_bytes,
        skipped=tuple(skipped),
    )
    print_result("push", result, _text(stage, arrived, to), json=json)


def _repository(text: str) -> RegistryReference:
    try:
        # The tag is the commit, which no option changes.
        reference = parse_reference(f"{text}:x")
    except InvalidReferenceError:
        reference = None
    if not isinstance(reference, RegistryReference) or reference.digest:
        raise UsageError(
            "--to takes docker://HOST[:PORT]/REPOSITORY; the tag is the commit of the build"
        )
    return reference


def _text(stage: str, arrived: Arrived, to: str | None) -> str:
    sent = f"{arrived.pushed.sent_bytes:,} bytes of layers and configuration"
    lines = [
        typer.style(f"docker://{arrived.repository}@{arrived.pushed.digest}", bold=True),
        f"  tag      {arrived.tag}",
        f"  sent     {'nothing: it was there' if arrived.pushed.was_there else sent}",
    ]
    if to is None:
        lines += ["", f"next: python -m release pin {stage}"]
    return "\n".join(lines)
