"""Section B: manifest, configuration and layers, as Lambda takes them.

https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

from collections.abc import Iterator

from imagecheck.finding import Finding
from imagecheck.image.image import FaultKind
from imagecheck.image.layer import MAX_IMAGE_BYTES
from imagecheck.image.manifest import GZIP_LAYER_TYPES, Descriptor
from imagecheck.legacy_rules.legacy import error, warning
from imagecheck.subject import Subject

_REBUILD = "docker buildx build --provenance=false --sbom=false --platform linux/{architecture} …"
_GZIP = "skopeo copy --dest-compress-format gzip … pushes it with gzip layers"
_ATTESTATION = "vnd.docker.reference.type"


def index_in_place_of_an_image(subject: Subject) -> Iterator[Finding]:
    """B1, and B2 (of which B3 is an older symptom) where attestations make the index."""
    root = subject.image.root
    if not root or not root.is_index:
        return
    children = root.manifests or []
    attested = [child for child in children if _is_attestation(child)]
    images = [child for child in children if child not in attested]
    listed = ", ".join(_platform(child) for child in images) or "nothing"
    architecture = subject.function.image_architecture
    rebuild = _REBUILD.format(architecture=architecture)
    if attested:
        yield error(
            "B2",
            f"{subject.image.root_media_type} with {len(attested)} attestation(s) beside the image"
            f" ({listed}): Lambda takes one manifest, and no index",
            f"build without attestations: {rebuild}",
        )
        return
    fitting = [child.digest for child in images if _architecture(child) == architecture]
    pin = f"pin the child for {architecture}, {fitting[0]}, or " if len(fitting) == 1 else ""
    yield error(
        "B1",
        f"{subject.image.root_media_type} of {listed}: Lambda takes one manifest, and no index,"
        " even of one image",
        f"{pin}build for one platform: {rebuild}",
    )


def layer_cannot_be_unpacked(subject: Subject) -> Iterator[Finding]:
    """B4. Why Lambda refuses a layer is not documented; these are the reported causes."""
    for fault in subject.image.faults:
        if fault.kind in (FaultKind.LAYER, FaultKind.DIFF_ID):
            yield error("B4", f"{fault.text}: Lambda cannot unpack it", "build the image again")
    manifest, config = subject.image.manifest, subject.image.config
    if not manifest or not config:
        return
    layers = manifest.layers or []
    if len(layers) != len(config.rootfs.diff_ids or []):
        yield error(
            "B4",
            f"the manifest has {len(layers)} layers, the configuration"
            f" {len(config.rootfs.diff_ids or [])} diff_ids",
            "build the image again",
        )
    steps = [step for step in config.history or [] if not step.empty_layer]
    if config.history and len(steps) != len(layers):
        yield warning(
            "B4",
            f"the history tells of {len(steps)} layers, and there are {len(layers)}",
            "build the image again with a tool that keeps the history",
        )
    if not subject.image.compressed_on_push:
        yield from _not_gzip(subject, layers)


def zstd_layers(subject: Subject) -> Iterator[Finding]:
    """B5: that Lambda takes zstd is documented nowhere."""
    manifest = subject.image.manifest
    named = [d for d in (manifest.layers or [] if manifest else []) if "zstd" in d.media_type]
    found = [f for f in subject.image.faults if f.kind is FaultKind.COMPRESSION]
    if named or found:
        what = named[0].media_type if named else found[0].text
        yield error(
            "B5",
            f"a layer is compressed with zstd ({what}), which Lambda is not known to read;"
            " the files of the image were not looked at",
            _GZIP,
        )


def too_large(subject: Subject) -> Iterator[Finding]:
    """B6."""
    if any(fault.kind is FaultKind.TOO_LARGE for fault in subject.image.faults):
        yield error(
            "B6",
            f"the layers have more than {MAX_IMAGE_BYTES // 1024**3} GiB when uncompressed;"
            " Lambda takes no more",
            "remove what the function does not need, in the layer that adds it",
        )


def not_for_linux(subject: Subject) -> Iterator[Finding]:
    """B7."""
    config = subject.image.config
    if config and config.os != "linux":
        os = f"os {config.os!r}" if config.os else "no os"
        yield error("B7", f"the configuration names {os}", "build with --platform linux/…")


def another_artifact(subject: Subject) -> Iterator[Finding]:
    """B8."""
    manifest = subject.image.manifest
    fix = "take the digest of the image itself, not of its signature, SBOM or attestation"
    if manifest and _is_artifact(subject):
        config = manifest.config.media_type if manifest.config else "none"
        kind = manifest.artifact_type or f"configuration {config}"
        yield error("B8", f"the digest is of another artifact: {kind}", fix)
        return
    for fault in subject.image.faults:
        if fault.kind is FaultKind.DOCUMENT:
            yield error("B8", f"{fault.text}, so the digest is not of an image", fix)


def damaged_blobs(subject: Subject) -> Iterator[Finding]:
    """B9."""
    elsewhere = [layer.digest for layer in _layers_elsewhere(subject)]
    for fault in subject.image.faults:
        if any(digest in fault.text for digest in elsewhere):
            continue
        if fault.kind in (FaultKind.BLOB_MISSING, FaultKind.WRONG_BYTES):
            yield error(
                "B9", f"{fault.text}; files of the image were not judged", "push the image again"
            )


def layers_elsewhere(subject: Subject) -> Iterator[Finding]:
    """B10."""
    for layer in _layers_elsewhere(subject):
        yield error(
            "B10",
            f"layer {layer.digest} ({layer.media_type}) is to be had elsewhere than in the"
            " registry, where Lambda does not look",
            "build on a base whose layers can be pushed",
        )


def _layers_elsewhere(subject: Subject) -> list[Descriptor]:
    manifest = subject.image.manifest
    return [
        layer
        for layer in (manifest.layers or [] if manifest else [])
        if layer.urls or "foreign" in layer.media_type or "nondistributable" in layer.media_type
    ]


def _not_gzip(subject: Subject, layers: list[Descriptor]) -> Iterator[Finding]:
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
        yield error(
            "B4",
            f"layer {number + 1} ({descriptor.digest}) {what}; what Lambda is known to unpack are"
            " gzip layers",
            _GZIP,
        )


def _is_artifact(subject: Subject) -> bool:
    manifest = subject.image.manifest
    return bool(manifest and manifest.is_artifact and not subject.image.compressed_on_push)


def _is_attestation(child: Descriptor) -> bool:
    return _ATTESTATION in (child.annotations or {})


def _architecture(child: Descriptor) -> str:
    return child.platform.architecture if child.platform else ""


def _platform(child: Descriptor) -> str:
    platform = child.platform
    return f"{platform.os}/{platform.architecture}" if platform else "an image of no platform"


RULES = (
    index_in_place_of_an_image,
    another_artifact,
    damaged_blobs,
    layer_cannot_be_unpacked,
    zstd_layers,
    too_large,
    not_for_linux,
    layers_elsewhere,
)
