"""``python -m release build``"""

from typing import Annotated

import msgspec
import typer

from imagecheck.terminal import print_answer
from release.build.build import Builder, build_image
from release.build.context import SOURCE
from release.project import project_here
from release.record import LAYOUT, BuildRecord

_SHORT = 12


def build(
    stage: Annotated[
        str, typer.Argument(metavar="STAGE", help="A stage of cdk.json.", show_default=False)
    ],
    builder: Annotated[
        Builder, typer.Option(help="What builds: docker (with buildx), or buildah (no daemon).")
    ] = "docker",
    build_arg: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="An ARG of the Dockerfile, such as BASE; repeatable.",
            show_default=False,
        ),
    ] = None,
    skip_base_digest: Annotated[
        bool,
        typer.Option("--skip-base-digest", help="Take a FROM or COPY --from without digest."),
    ] = False,
    skip_base_architecture: Annotated[
        bool,
        typer.Option("--skip-base-architecture", help="Take a base for another CPU."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Build the function's image from lambda_src/Dockerfile, for the CPU of a stage.

    One platform, one manifest, gzip layers, no attestations: what Lambda takes. The same source on
    the same base gives the same digest, whoever builds it and wherever, with the same builder.
    Every image that the Dockerfile takes has to be named by digest.

    The image is left in build/image (an OCI layout), and what is known of it in build/record.json;
    a build that fails leaves those of the one before.

    docker needs a builder that can write OCI layouts: `docker buildx create --use --driver
    docker-container`. buildah needs no daemon; as another user than root, it needs uidmap. For
    another CPU than this machine's, both need QEMU.

    **Examples**

    `python -m release build dev`

    `python -m release build dev --builder buildah --json`

    `python -m release build dev --build-arg BASE=public.ecr.aws/lambda/python@sha256:...`

    Exit status 0: built; 1: refused (a base without digest, or for another CPU); 2: it could not
    be built.
    """
    arguments = dict(map(_argument, build_arg or []))
    project = project_here()
    record = build_image(
        project,
        project.stage(stage),
        builder=builder,
        build_arguments=arguments,
        skip_base_digest=skip_base_digest,
        skip_base_architecture=skip_base_architecture,
    )
    print_answer(_as_json(record) if json else _as_text(record, stage))


def _argument(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        # What stands there may be a secret, so it is not repeated.
        raise typer.BadParameter("--build-arg wants NAME=VALUE")
    return name, value


def _as_json(record: BuildRecord) -> str:
    fields = {
        "image": f"oci:{LAYOUT}",
        "digest": record.digest,
        "architecture": record.architecture,
        "baseDigest": record.base_digest,
        "sourceRevision": record.source_revision,
        "dirty": record.dirty,
        "builtAt": record.built_at,
    }
    return msgspec.json.format(msgspec.json.encode(fields), indent=2).decode()


def _as_text(record: BuildRecord, stage: str) -> str:
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
