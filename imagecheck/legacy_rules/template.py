"""Section G: the function in the template."""

from collections.abc import Iterator

from imagecheck.finding import Finding
from imagecheck.function import DEFAULT_ARCHITECTURE
from imagecheck.legacy_rules.legacy import error, warning
from imagecheck.subject import Subject


def settings_of_zip_functions(subject: Subject) -> Iterator[Finding]:
    """G1: https://docs.aws.amazon.com/lambda/latest/dg/images-create.html."""
    declared = subject.function.declared
    if declared is None:
        return
    wrong = [name for name in ("Layers", "Handler", "Runtime") if declared.properties.get(name)]
    if wrong:
        yield error(
            "G1",
            f"{declared.logical_id} has {', '.join(wrong)}, which image functions cannot have",
            "remove it: layers go into the image, the handler into CMD",
        )


def no_architecture(subject: Subject) -> Iterator[Finding]:
    """G2."""
    declared = subject.function.declared
    if declared and not declared.properties.get("Architectures"):
        yield warning(
            "G2",
            f"{declared.logical_id} names no Architectures, so it is {DEFAULT_ARCHITECTURE}, and"
            " CDK lets the machine that builds decide for the image",
            "give the function its architecture: architecture=lambda_.Architecture.ARM_64",
        )


RULES = (settings_of_zip_functions, no_architecture)
