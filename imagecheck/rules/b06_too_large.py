"""The layers are too large."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.image.image import FaultKind
from imagecheck.image.layer import MAX_IMAGE_BYTES
from imagecheck.rule import INVALID_IMAGE, STATE, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report that reading ended at the limit."""
    if any(fault.kind is FaultKind.TOO_LARGE for fault in subject.image.faults):
        yield Problem(
            f"the layers have more than {MAX_IMAGE_BYTES // 1024**3} GiB when uncompressed;"
            " Lambda accepts no more"
        )


RULE = Rule(
    id="B6",
    title="The image is too large",
    severity="error",
    error_type=INVALID_IMAGE,
    when=STATE,
    why=(
        "Lambda accepts images of up to 10 GB, all layers uncompressed. A file that a later"
        " layer removes still counts, because it is in the layer below."
    ),
    fix="Remove the files that the function does not need in the layer that adds them.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
    bad="""\
COPY models/ /models/
RUN rm -r /models/unused
""",
    good="""\
COPY models/small/ /models/
""",
    check=check,
)
