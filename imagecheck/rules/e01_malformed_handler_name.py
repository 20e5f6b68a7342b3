"""The handler's name is malformed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what judging the handler found."""
    yield from subject.judgement.of("E1")


RULE = Rule(
    id="E1",
    title="The handler's name is malformed",
    severity="error",
    error_type="Runtime.MalformedHandlerName",
    when=START,
    why=(
        "The runtime client splits the handler's name at a dot: module and function."
        " A name without a dot, or without a module, cannot be split. Node's client also refuses"
        " a name with two dots in a row, and from version 4 takes it from _HANDLER, which Lambda"
        " sets to CMD: a name in ENTRYPOINT alone is none."
    ),
    fix='Name the handler as module.function: CMD ["app.handler"].',
    source="https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/bootstrap.py",
    bad="""\
CMD ["handler"]
""",
    good="""\
CMD ["app.handler"]
""",
    check=check,
)
