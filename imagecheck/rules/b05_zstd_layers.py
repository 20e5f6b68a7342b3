"""A layer is compressed with zstd."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.build_commands import GZIP_LAYERS
from imagecheck.image.image import FaultKind
from imagecheck.rule import CREATE, INVALID_PARAMETER, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at media types, and at what reading the layers met."""
    manifest = subject.image.manifest
    named = [d for d in (manifest.layers or [] if manifest else []) if "zstd" in d.media_type]
    found = [f for f in subject.image.faults if f.kind is FaultKind.COMPRESSION]
    if named or found:
        what = named[0].media_type if named else found[0].text
        yield Problem(
            f"a layer is compressed with zstd ({what}), which Lambda is not known to read;"
            " the files of the image were not checked",
            GZIP_LAYERS,
        )


RULE = Rule(
    id="B5",
    title="Layers compressed with zstd",
    severity="error",
    error_type=INVALID_PARAMETER,
    when=CREATE,
    why=(
        "Builders can compress layers with zstd, and some registries offer bases with such"
        " layers. AWS's guide names Docker's format, which has no zstd, and OCI's from 1.0 on,"
        " which has it since 1.1. No document and no report says that Lambda reads it."
    ),
    fix=(
        "Compress with gzip: --output type=image,compression=gzip,force-compression=true,push=true."
    ),
    source="https://docs.aws.amazon.com/lambda/latest/dg/images-create.html",
    bad="""\
$ docker buildx build --output type=image,name=…/rooms:7,compression=zstd,push=true .
""",
    good="""\
$ docker buildx build --output type=image,name=…/rooms:7,compression=gzip,push=true .
""",
    check=check,
)
