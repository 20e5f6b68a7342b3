"""The ways in which an image function fails, one row each, as ``docs/incident.md`` explains them.

Only the rows that can be told from the image, its registry, the template or the Dockerfile are
here. Error types: https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-images.html and the
sources of AWS's runtime clients and of its runtime interface emulator.
"""

from typing import Final, NamedTuple

CREATE: Final = "when the function is created or updated"
STATE: Final = "soon after it was created or updated: its state becomes Failed"
LATER: Final = "later, when Lambda fetches the image again"
START: Final = "at the first start: at the first invocation, or with provisioned concurrency"
BUILD: Final = "at the next build or deployment"

_INVALID: Final = "InvalidParameterValueException"
_ENTRYPOINT: Final = "Runtime.InvalidEntrypoint"
_EXIT: Final = "Runtime.ExitError"


class Row(NamedTuple):
    """A failure: what it is, what a person sees of it, and when."""

    title: str
    error_type: str
    when: str


ROWS: Final[dict[str, Row]] = {
    "A1": Row("The image is not in the registry", _INVALID, CREATE),
    "A2": Row("Not an image of a private ECR repository", _INVALID, CREATE),
    "A3": Row("Lambda may not pull the image", "ImageAccessDenied", CREATE),
    "A4": Row("The image is archived", _INVALID, CREATE),
    "A7": Row("The function names a tag", "", BUILD),
    "A8": Row("The function's digest is none", _INVALID, CREATE),
    "B1": Row("An index in place of an image", _INVALID, CREATE),
    "B2": Row("An image with attestations", _INVALID, CREATE),
    "B4": Row("A layer that cannot be unpacked", "InvalidImage", STATE),
    "B5": Row("Layers compressed with zstd", _INVALID, CREATE),
    "B6": Row("Too large", "InvalidImage", STATE),
    "B7": Row("Not for Linux", _INVALID, CREATE),
    "B8": Row("Not an image but another artifact", _INVALID, CREATE),
    "B9": Row("Missing or damaged blobs", _INVALID, CREATE),
    "B10": Row("Layers that are not in the registry", _INVALID, CREATE),
    "H1": Row("A base image by tag", "", BUILD),
    "H2": Row("Built on another base than is pinned", "", BUILD),
    "H3": Row("The pinned base is an index", "", BUILD),
    "H4": Row("Not the image that was checked is deployed", "", BUILD),
}
"""By the letter of its kind and a number: A the reference, B the image's format, C the start,
D the process, E the handler, F extensions, G the template, H drift."""
