"""``python -m release push``"""

from typing import Annotated

import msgspec
import typer

from imagecheck.image.reference import (
    FORMS,
    InvalidReferenceError,
    RegistryReference,
    parse_reference,
)
from imagecheck.progress import ProgressBar
from imagecheck.terminal import print_answer, step
from release.project import project_here
from release.record import LAYOUT, read_record, require_gates
from release.repository.push_image import Arrived, push_image
from release.skipping import say_skipped


def push(
    stage: Annotated[
        str, typer.Argument(metavar="STAGE", help="A stage of cdk.json.", show_default=False)
    ],
    image: Annotated[
        str, typer.Option(metavar="IMAGE", help=f"The image: {FORMS}")
    ] = f"oci:{LAYOUT}",
    to: Annotated[
        str | None,
        typer.Option(
            metavar="docker://HOST/REPOSITORY",
            help="Another repository than the stage's in ECR.",
            show_default=False,
        ),
    ] = None,
    skip_check: Annotated[
        bool, typer.Option("--skip-check", help="Push what has not passed `check`.")
    ] = False,
    skip_boot: Annotated[
        bool, typer.Option("--skip-boot", help="Push what has not passed `boot`.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Push the image that was built last, and see that what arrives is what was checked.

    It goes to the stage's ECR repository, with the AWS credentials that boto3 finds, under the
    commit that it was built from; no Docker is needed. What is there already is not sent again. The
    manifest goes last and is read back, so a push that breaks off leaves nothing to deploy: run it
    again.

    A build with changes that are in no commit is refused: it has no name. Tags do not move.

    **Examples**

    `python -m release push dev`

    `python -m release push dev --to docker://localhost:5000/rooms`

    Exit status 0: it is there; 1: refused; 2: it could not be pushed.
    """
    project = project_here()
    where = project.stage(stage)
    record = read_record(project.root)
    destination = _repository(to) if to is not None else None
    skipped = require_gates(record, skip_check=skip_check, skip_boot=skip_boot)
    say_skipped(skipped)
    with step(f"pushing {record.digest}"), ProgressBar("pushing layers") as progress:
        arrived = push_image(
            where, record, parse_reference(image), to=destination, progress=progress
        )
    print_answer(_as_json(stage, arrived, skipped) if json else _as_text(stage, arrived, to))


def _repository(text: str) -> RegistryReference:
    try:
        # The tag is not the person's to say.
        reference = parse_reference(f"{text}:x")
    except InvalidReferenceError:
        reference = None
    if not isinstance(reference, RegistryReference) or reference.digest:
        raise typer.BadParameter(
            "--to wants docker://HOST[:PORT]/REPOSITORY; the tag is the commit of the build"
        )
    return reference


def _as_json(stage: str, arrived: Arrived, skipped: list[str]) -> str:
    fields = {
        "stage": stage,
        "repository": arrived.repository,
        "digest": arrived.pushed.digest,
        "tag": arrived.tag,
        "wasThere": arrived.pushed.was_there,
        "sentBytes": arrived.pushed.sent_bytes,
        "skipped": skipped,
    }
    return msgspec.json.format(msgspec.json.encode(fields), indent=2).decode()


def _as_text(stage: str, arrived: Arrived, to: str | None) -> str:
    sent = f"{arrived.pushed.sent_bytes:,} bytes of layers and configuration"
    lines = [
        typer.style(f"docker://{arrived.repository}@{arrived.pushed.digest}", bold=True),
        f"  tag      {arrived.tag}",
        f"  sent     {'nothing: it was there' if arrived.pushed.was_there else sent}",
    ]
    if to is None:
        lines += ["", f"next: python -m release pin {stage}"]
    return "\n".join(lines)
