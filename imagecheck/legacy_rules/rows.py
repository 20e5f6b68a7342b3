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
    "C1": Row("The image is for another CPU than the function", _ENTRYPOINT, START),
    "C2": Row("Files of another CPU than the image says", _ENTRYPOINT, START),
    "C3": Row("No ENTRYPOINT", _ENTRYPOINT, START),
    "C4": Row("The handler as ENTRYPOINT", _ENTRYPOINT, START),
    "C6": Row("The entrypoint is missing", _ENTRYPOINT, START),
    "C7": Row("The entrypoint may not be run", _ENTRYPOINT, START),
    "C8": Row("A script without a shebang", _ENTRYPOINT, START),
    "C9": Row("Windows line ends in a script", _ENTRYPOINT, START),
    "C10": Row("The script's interpreter is missing", _ENTRYPOINT, START),
    "C11": Row("The program's loader is missing", _ENTRYPOINT, START),
    "C12": Row("Not a Linux program", _ENTRYPOINT, START),
    "C13": Row("The entrypoint is a symlink", _ENTRYPOINT, START),
    "C14": Row("The entrypoint is not an absolute path", _ENTRYPOINT, START),
    "C15": Row("The working directory is wrong", "Runtime.InvalidWorkingDir", START),
    "C16": Row("Arguments and environment are too large", _ENTRYPOINT, START),
    "D1": Row("Not one handler name for AWS's entrypoint", _EXIT, START),
    "D3": Row("npm writes where it may not", _EXIT, START),
    "D4": Row("No runtime client", _EXIT, START),
    "D5": Row("The wrapper script is missing", _EXIT, START),
    "D6": Row("Caches outside of /tmp", "OSError: Read-only file system", "while it runs"),
    "H1": Row("A base image by tag", "", BUILD),
    "H2": Row("Built on another base than is pinned", "", BUILD),
    "H3": Row("The pinned base is an index", "", BUILD),
    "H4": Row("Not the image that was checked is deployed", "", BUILD),
}
"""By the letter of its kind and a number: A the reference, B the image's format, C the start,
D the process, E the handler, F extensions, G the template, H drift."""
