"""The handler's module cannot be imported."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import IMPORT_MODULE_ERROR, START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what judging the handler found."""
    yield from subject.judgement.of("E2")


RULE = Rule(
    id="E2",
    title="The handler's module cannot be imported",
    severity="error",
    error_type=IMPORT_MODULE_ERROR,
    when=START,
    why=(
        "The runtime client imports the handler's module when the environment starts. The"
        " module, or one that it certainly imports, is not where the interpreter looks. Imports"
        " in a function, in a try or behind a condition do not count."
    ),
    fix="Copy the module into the image or install it there, or correct the name.",
    source="https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/bootstrap.py",
    bad="""\
COPY main.py ${LAMBDA_TASK_ROOT}/
CMD ["app.handler"]
""",
    good="""\
COPY app.py ${LAMBDA_TASK_ROOT}/
CMD ["app.handler"]
""",
    check=check,
)
