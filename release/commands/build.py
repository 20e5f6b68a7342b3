"""``python -m release build``"""

from typing import Annotated

import msgspec
import typer

from config.project import project_here
from release.build.build import build_image
from release.build.context import SOURCE
from release.build.record import LAYOUT, BuildRecord
from release.commands.options import (
    BuildArgOption,
    BuilderOption,
    JsonOption,
    StageArgument,
    build_arguments,
)
from release.commands.output import print_result

_SHORT = 12


class BuildResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The image that was built. ``dirty``: from changes that are in no commit."""

    image: str
    digest: str
    architecture: str
    base_digest: str
    source_revision: str
    dirty: bool
    built_at: str


RESULTS = (BuildResult,)


def build(
    stage: StageArgument,
    builder: BuilderOption = None,
    build_arg: BuildArgOption = None,
    skip_base_digest: Annotated[
        bool,
        typer.Option("--skip-base-digest", help="Accept a FROM or COPY --from without a digest."),
    ] = False,
    skip_base_architecture: Annotated[
        bool,
        typer.Option("--skip-base-architecture", help="Accept a base for another CPU."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Build the function's image from lambda_src/Dockerfile, for the CPU of a stage.

    One platform, one manifest, gzip layers, no attestations: what Lambda accepts. The same source
    on the same base gives the same digest on every machine, with the same builder. Every image that
    the Dockerfile uses must be named by digest.

    The image is written to build/image (an OCI layout), and its record to build/record.json; a
    build that fails leaves the old ones as they are.

    docker needs a builder that can write OCI layouts: `docker buildx create --use --driver
    docker-container`. buildah needs no daemon; without root, it needs uidmap. For another CPU than
    this machine's, both need QEMU.

    **Examples**

    `python -m release build dev`

    `python -m release build dev --builder buildah --json`

    `python -m release build dev --build-arg BASE=public.ecr.aws/lambda/python@sha256:...`

    Exit status 0: built; 1: refused (a base without digest, or for another CPU); 2: it could not
    be built.
    """
    arguments = build_arguments(build_arg)
    project = project_here()
    record = build_image(
        project,
        project.stage(stage),
        builder=builder,
        build_arguments=arguments,
        skip_base_digest=skip_base_digest,
        skip_base_architecture=skip_base_architecture,
    )
    print_result("build", _result(record), _text(record, stage), json=json)


def _result(record: BuildRecord) -> BuildResult:
    return BuildResult(
        image=f"oci:{LAYOUT}",
        digest=record.digest,
        architecture=record.architecture,
        base_digest=record.base_digest,
        source_revision=record.source_revision,
        dirty=record.dirty,
        built_at=record.built_at,
    )


def _text(record: BuildRecord, stage: str) -> str:
    dirty = ", and changes that are not committed" if record.dirty else ""
    return "\n".join(
        (
            typer.style(f"oci:{LAYOUT}", bold=True),
            f"  digest   {record.digest}",
            f"  image    {record.architecture}",
            f"  base     {record.base_digest}",
            f"  source   {record.source_revision[:_SHORT]}{dirty}",
            "",
            f"next: python -m release check oci:{LAYOUT} --stage {stage}"
            f" --dockerfile {SOURCE}/Dockerfile",
        )
    )
