"""The image is for another system than Linux."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import CREATE, INVALID_PARAMETER, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at the configuration."""
    config = subject.image.config
    if config and config.os != "linux":
        os = f"os {config.os!r}" if config.os else "no os"
        yield Problem(f"the configuration names {os}")


RULE = Rule(
    id="B7",
    title="The image is not for Linux",
    severity="error",
    error_type=INVALID_PARAMETER,
    when=CREATE,
    why=(
        "Lambda runs Linux programs only. It refuses an image whose configuration names Windows"
        " or no system. Tools that write the configuration themselves sometimes leave the system"
        " out."
    ),
    fix="Build with --platform linux/amd64 or linux/arm64.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/images-create.html",
    bad="""\
{"architecture": "amd64", "os": "windows"}
""",
    good="""\
{"architecture": "amd64", "os": "linux"}
""",
    check=check,
)
