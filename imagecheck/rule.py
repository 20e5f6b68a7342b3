"""A rule: what it looks for, and what the catalogue says of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imagecheck.subject import Subject

Severity = Literal["error", "warning"]

CREATE: Final = "when the function is created or updated"
STATE: Final = "soon after it was created or updated: its state becomes Failed"
START: Final = "at the first start: at the first invocation, or with provisioned concurrency"
RUN: Final = "while it runs"
BUILD: Final = "at the next build or deployment"
"""When a fault shows."""

INVALID_PARAMETER: Final = "InvalidParameterValueException"
INVALID_IMAGE: Final = "InvalidImage"
INVALID_ENTRYPOINT: Final = "Runtime.InvalidEntrypoint"
EXIT_ERROR: Final = "Runtime.ExitError"
IMPORT_MODULE_ERROR: Final = "Runtime.ImportModuleError"
LAUNCH_ERROR: Final = "Extension.LaunchError"
"""Error types of Lambda.

https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-images.html and the sources of AWS's
runtime clients and of its runtime interface emulator.
"""

SECTIONS: Final = {
    "A": "The reference",
    "B": "The image's format",
    "C": "The start",
    "D": "The process",
    "E": "The handler",
    "F": "Extensions",
    "G": "The template",
    "H": "Drift",
}
"""What the letters of the ids stand for."""


@dataclass(frozen=True)
class Problem:
    """What a rule says of one image. What is None or empty is as the rule has it."""

    found: str
    """What was found in this image, and why that fails."""
    fix: str = ""
    """A command, or what to change in which file."""
    severity: Severity | None = None
    error_type: str | None = None
    """What Lambda shows; empty where it shows nothing."""
    line: int | None = None
    """The line of the Dockerfile that it is about, where it is about one."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One way in which an image function fails."""

    id: str
    """A letter of ``SECTIONS`` and a number."""
    title: str
    severity: Severity
    """What its problems are, unless one says otherwise."""
    error_type: str
    """What Lambda shows; empty where it shows nothing."""
    when: str
    """At what moment it shows."""
    why: str
    """Why it fails, in a few sentences for somebody who has never met it."""
    fix: str
    """What to do, in general."""
    source: str
    """The address of the document, code or report that the rule is taken from."""
    bad: str
    """An example that the rule finds: some lines of a Dockerfile, a listing or a template."""
    good: str
    """The same example, put right."""
    is_first: bool = False
    """Whether Lambda looks for it before all else that rules of its letter are about."""
    check: "Callable[[Subject], Iterator[Problem]]"
    """Looks for it. Raises ImageReadError when a file that it needs cannot be read."""
