"""No runtime client."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import EXIT_ERROR, START, Problem, Rule
from imagecheck.start.answering import unanswered
from imagecheck.start.aws_base import AWS_BOOTSTRAP
from imagecheck.start.exec_chain import ExecFault
from imagecheck.start.start_problems import problems_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look for what asks for events, in the program that stays."""
    launch = subject.launch
    if not launch or not subject.files:
        return
    failed = launch.failed
    if failed and failed.argv[0] == AWS_BOOTSTRAP:
        if failed.chain.cause is not ExecFault.WRONG_MACHINE:
            yield Problem(
                f"{failed.by} runs {failed.chain}: {failed.chain.cause}; exit status 127",
                "build on one of AWS's base images",
            )
        return
    yield from problems_of(subject, "D4")
    found = list(subject.judgement.of("D4"))
    yield from found
    if not found and not launch.last.chain.cause and not launch.stopped and not launch.ended:
        yield from unanswered(subject, launch.last)


RULE = Rule(
    id="D4",
    title="No runtime client",
    severity="error",
    error_type=EXIT_ERROR,
    when=START,
    why=(
        "A function asks Lambda for its events through the Runtime API. A runtime client does"
        " that, such as awslambdaric or aws-lambda-ric, or AWS's web adapter in front of a web"
        " server. A program that only listens on a port gets no events, and Lambda ends it when"
        " the time for the start is over."
    ),
    fix=(
        "Install the runtime client of the language and start it, or copy AWS's web adapter to"
        " /opt/extensions."
    ),
    source="https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#runtimes-images-lp",
    bad="""\
FROM python:3.13-slim
CMD ["uvicorn", "app:app", "--port", "8080"]
""",
    good="""\
FROM python:3.13-slim
COPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:0.9.1 /lambda-adapter /opt/extensions/
CMD ["uvicorn", "app:app", "--port", "8080"]
""",
    check=check,
)
