"""The handler as ENTRYPOINT."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look whether ENTRYPOINT is not a program of the image, and has a handler's form."""
    if subject.image.config and subject.names_a_handler and subject.start.entrypoint:
        handler = subject.start.argv[0]
        yield Problem(
            f"ENTRYPOINT is the handler {handler!r}, which is not a program of the image",
            f'name the handler in CMD ["{handler}"] (ImageConfig: Command), and leave ENTRYPOINT',
        )


RULE = Rule(
    id="C4",
    title="The handler as ENTRYPOINT",
    severity="error",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "ENTRYPOINT is the program that Lambda starts; the handler is its argument, in CMD."
        " With a handler's name such as app.handler in ENTRYPOINT, Lambda looks for a program of"
        " that name, and there is none."
    ),
    fix="Leave ENTRYPOINT as the base image has it, and name the handler in CMD.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/images-create.html",
    bad="""\
FROM public.ecr.aws/lambda/python:3.13
ENTRYPOINT ["app.handler"]
""",
    good="""\
FROM public.ecr.aws/lambda/python:3.13
CMD ["app.handler"]
""",
    check=check,
)
