"""The template does not say for which CPU the function is."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.function import DEFAULT_ARCHITECTURE
from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look for Architectures."""
    declared = subject.function.declared
    if declared and not declared.properties.get("Architectures"):
        yield Problem(
            f"{declared.logical_id} names no Architectures, so it is {DEFAULT_ARCHITECTURE}, and"
            " CDK lets the machine that builds decide for the image"
        )


RULE = Rule(
    id="G2",
    title="No architecture in the template",
    severity="warning",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "A function that names no architecture is x86_64. The image is built for the machine"
        " that builds it unless the platform is named, so the next build on another laptop can"
        " give an image that cannot be started."
    ),
    fix="Give the function its architecture: architecture=lambda_.Architecture.ARM_64.",
    source="https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html",
    bad="""\
PackageType: Image
""",
    good="""\
PackageType: Image
Architectures: [arm64]
""",
    check=check,
)
