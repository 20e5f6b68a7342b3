"""The handler's function is missing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what judging the handler found."""
    yield from subject.judgement.of("E3")


RULE = Rule(
    id="E3",
    title="The handler's function is missing",
    severity="error",
    error_type="Runtime.HandlerNotFound",
    when=START,
    why=(
        "The module is imported, but it has no function of the name that the handler gives, or"
        " the runtime client refuses that function: aws-lambda-ric 4 accepts none with a"
        " callback."
    ),
    fix="Define the function in the module, or name another one in CMD.",
    source="https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/bootstrap.py",
    bad="""\
# app.py: def lambda_handler(event, context): ...
CMD ["app.handler"]
""",
    good="""\
# app.py: def lambda_handler(event, context): ...
CMD ["app.lambda_handler"]
""",
    check=check,
)
