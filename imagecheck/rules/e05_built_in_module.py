"""The handler's module is a built-in one."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what judging the handler found."""
    yield from subject.judgement.of("E5")


RULE = Rule(
    id="E5",
    title="The handler's module has the name of a built-in one",
    severity="error",
    error_type="Runtime.BuiltInModuleConflict",
    when=START,
    why=(
        "The handler's module has the name of a module that is built into Python, and Python"
        " finds its own first."
    ),
    fix="Give the module another name.",
    source="https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/bootstrap.py",
    bad="""\
CMD ["time.handler"]
""",
    good="""\
CMD ["clock.handler"]
""",
    check=check,
)
