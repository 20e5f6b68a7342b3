"""The template gives the function what only functions of zip files have."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import CREATE, INVALID_PARAMETER, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_OF_ZIP_FUNCTIONS = ("Layers", "Handler", "Runtime")


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at the function's properties."""
    declared = subject.function.declared
    if declared is None:
        return
    wrong = [name for name in _OF_ZIP_FUNCTIONS if declared.properties.get(name)]
    if wrong:
        yield Problem(
            f"{declared.logical_id} has {', '.join(wrong)}, which image functions cannot have"
        )


RULE = Rule(
    id="G1",
    title="Settings that an image function cannot have",
    severity="error",
    error_type=INVALID_PARAMETER,
    when=CREATE,
    why=(
        "Layers, Handler and Runtime are for functions whose code is a zip file. Lambda refuses a"
        " function that has one of them beside an image."
    ),
    fix="Remove them: put the contents of a layer into the image, and the handler's name into CMD.",
    source="https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html",
    bad="""\
PackageType: Image
Handler: app.handler
""",
    good="""\
PackageType: Image
ImageConfig:
  Command: ["app.handler"]
""",
    check=check,
)
