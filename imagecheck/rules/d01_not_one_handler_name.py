"""Not one handler name for AWS's entrypoint, or none for a runtime client."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import EXIT_ERROR, START, Problem, Rule
from imagecheck.start.aws_base import AWS_ENTRYPOINT, WRONG_ARGUMENTS
from imagecheck.start.handler import client_without_handler

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_SHELL = ("/bin/sh", "-c")
_FIX = 'CMD ["module.function"]: JSON, double quotes, one item'


def check(subject: "Subject") -> Iterator[Problem]:
    """Count what AWS's entrypoint or a client gets, also where another program starts it."""
    launch = subject.launch
    process = launch.last if launch else None
    if not launch or not process or process.chain.cause:
        return
    if process.argv[0] != AWS_ENTRYPOINT:
        is_known = not launch.stopped and not launch.ended
        if is_known and (status := client_without_handler(process)) is not None:
            command = " ".join(process.argv)
            yield Problem(
                f"{command}: the runtime client is given no handler name; exit status {status}",
                'ENTRYPOINT as JSON, so that CMD ["module.function"] is added to it',
            )
        return
    arguments = process.argv[1:]
    if len(arguments) == 1:
        return
    if arguments[:2] == _SHELL:
        yield Problem(
            f"CMD is in shell form ({' '.join(arguments[2:])}), so {AWS_ENTRYPOINT} gets"
            f" {len(arguments)} arguments in place of one handler name; exit status"
            f" {WRONG_ARGUMENTS}",
            _FIX,
        )
        return
    what = "no handler name" if not arguments else f"{len(arguments)} arguments: {arguments}"
    yield Problem(f"{AWS_ENTRYPOINT} gets {what}; exit status {WRONG_ARGUMENTS}", _FIX)


RULE = Rule(
    id="D1",
    title="The arguments are not one handler name",
    severity="error",
    error_type=EXIT_ERROR,
    when=START,
    why=(
        "The entrypoint of AWS's base images takes one argument, the handler's name, and ends"
        " with status 142 for none or several. A CMD in shell form is several: /bin/sh, -c and"
        " the rest. The clients for Python, Ruby and Java also end without a name, and an"
        " ENTRYPOINT in shell form drops it: it ignores CMD."
    ),
    fix="Write CMD as JSON, with double quotes and one item, and write ENTRYPOINT as JSON too.",
    source="https://github.com/aws/aws-lambda-base-images/issues/83",
    bad="""\
FROM public.ecr.aws/lambda/python:3.13
CMD app.handler
""",
    good="""\
FROM public.ecr.aws/lambda/python:3.13
CMD ["app.handler"]
""",
    check=check,
)
