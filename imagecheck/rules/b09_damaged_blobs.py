"""Parts of the image are missing or damaged."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image.image import FaultKind
from imagecheck.rule import CREATE, INVALID_PARAMETER, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_DAMAGE = (FaultKind.BLOB_MISSING, FaultKind.WRONG_BYTES)


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what could not be read, without the layers that B10 reports."""
    manifest = subject.image.manifest
    layers = manifest.layers or [] if manifest else []
    elsewhere = [layer.digest for layer in layers if layer.is_layer_elsewhere]
    for fault in subject.image.faults:
        if fault.kind in _DAMAGE and not any(digest in fault.text for digest in elsewhere):
            yield Problem(f"{fault.text}; files of the image were not judged")


RULE = Rule(
    id="B9",
    title="Missing or damaged blobs",
    severity="error",
    error_type=INVALID_PARAMETER,
    when=CREATE,
    why=(
        "A manifest names its configuration and its layers by digest. A blob that is missing,"
        " or whose bytes have another digest, makes the image unusable. The cause is a copy that"
        " was cut off, or a layout whose files were changed."
    ),
    fix="Push the image again.",
    source="https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#verification",
    bad="""\
$ sha256sum blobs/sha256/2c26b46b…
fcde2b2e…  blobs/sha256/2c26b46b…
""",
    good="""\
$ sha256sum blobs/sha256/2c26b46b…
2c26b46b…  blobs/sha256/2c26b46b…
""",
    check=check,
)
