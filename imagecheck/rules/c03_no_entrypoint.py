"""No ENTRYPOINT."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look whether anything is started, and whether it is a handler in place of a program."""
    if not subject.image.config:
        return
    argv = subject.start.argv
    if not argv:
        yield Problem(
            "neither ENTRYPOINT nor CMD: there is nothing to start",
            'ENTRYPOINT ["/lambda-entrypoint.sh"] on an AWS base, and CMD ["module.function"]',
        )
    elif subject.names_a_handler and not subject.start.entrypoint:
        yield Problem(
            f"no ENTRYPOINT, so CMD itself is started: {argv[0]!r} is a handler and no program",
            "take a base image with an ENTRYPOINT, or set it to the runtime client:"
            ' ENTRYPOINT ["/usr/bin/python3", "-m", "awslambdaric"]',
        )


RULE = Rule(
    id="C3",
    title="No ENTRYPOINT",
    severity="error",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "Lambda starts ENTRYPOINT with CMD as its arguments. Without ENTRYPOINT, CMD itself is"
        " the program, and a handler's name is not a program. AWS's base images have an"
        " ENTRYPOINT that takes the handler's name; other images need one that runs a runtime"
        " client."
    ),
    fix="Use one of AWS's base images for Lambda, or set ENTRYPOINT to a runtime client.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/images-create.html",
    bad="""\
FROM python:3.13-slim
CMD ["app.handler"]
""",
    good="""\
FROM python:3.13-slim
RUN pip install awslambdaric
ENTRYPOINT ["python", "-m", "awslambdaric"]
CMD ["app.handler"]
""",
    check=check,
)
