"""A layer cannot be unpacked."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.build_commands import GZIP_LAYERS
from imagecheck.image.image import FaultKind
from imagecheck.image.manifest import GZIP_LAYER_TYPES, Descriptor
from imagecheck.rule import INVALID_IMAGE, STATE, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what unpacking met, counts that disagree, and layers that are not gzip.

    Why Lambda refuses a layer is not documented; these are the reported causes.
    """
    for fault in subject.image.faults:
        if fault.kind in (FaultKind.LAYER, FaultKind.DIFF_ID):
            yield Problem(f"{fault.text}: Lambda cannot unpack it")
    manifest, config = subject.image.manifest, subject.image.config
    if not manifest or not config:
        return
    layers = manifest.layers or []
    if len(layers) != len(config.rootfs.diff_ids or []):
        yield Problem(
            f"the manifest has {len(layers)} layers, the configuration"
            f" {len(config.rootfs.diff_ids or [])} diff_ids"
        )
    steps = [step for step in config.history or [] if not step.empty_layer]
    if config.history and len(steps) != len(layers):
        yield Problem(
            f"the history tells of {len(steps)} layers, and there are {len(layers)}",
            "build the image again with a tool that keeps the history",
            severity="warning",
        )
    if not subject.image.compressed_on_push:
        yield from _not_gzip(subject, layers)


def _not_gzip(subject: "Subject", layers: list[Descriptor]) -> Iterator[Problem]:
    read = subject.image.layers or ()
    for number, descriptor in enumerate(layers):
        media_type = descriptor.media_type
        if "zstd" in media_type or "foreign" in media_type or "nondistributable" in media_type:
            continue
        if media_type not in GZIP_LAYER_TYPES:
            what = f"has the media type {media_type or 'of nothing'}"
        elif number < len(read) and not read[number].is_gzip:
            what = f"is not compressed, though its media type is {media_type}"
        else:
            continue
        yield Problem(
            f"layer {number + 1} ({descriptor.digest}) {what}; what Lambda is known to unpack are"
            " gzip layers",
            GZIP_LAYERS,
        )


RULE = Rule(
    id="B4",
    title="A layer that cannot be unpacked",
    severity="error",
    error_type=INVALID_IMAGE,
    when=STATE,
    why=(
        "The update succeeds, and then the function's state becomes Failed with"
        " ImageLayerFailure, UnsupportedImageLayerDetected. Reported causes are layers that are"
        " not compressed, as some build rules push them. A layer that is cut off, or is not the"
        " one that the configuration names, cannot be unpacked at all."
    ),
    fix="Build the image again, and push it with gzip layers.",
    source="https://github.com/bazel-contrib/rules_oci/issues/777",
    bad="""\
"layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", …}]
""",
    good="""\
"layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", …}]
""",
    check=check,
)
