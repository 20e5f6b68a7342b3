"""Each call of the handler fails."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import RUN, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what judging the handler found."""
    yield from subject.judgement.of("E8")


RULE = Rule(
    id="E8",
    title="Each call of the handler fails",
    severity="error",
    error_type="Runtime.MarshalError",
    when=RUN,
    why=(
        "Python's runtime client calls the handler with two arguments, the event and the"
        " context, and makes JSON of the result. It awaits nothing: an async function returns a"
        " coroutine, which cannot become JSON. A function that does not take two arguments"
        " raises TypeError."
    ),
    fix="Define the handler as def handler(event, context), and call asyncio.run in it if needed.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html",
    bad="""\
async def handler(event, context):
    return await answer(event)
""",
    good="""\
def handler(event, context):
    return asyncio.run(answer(event))
""",
    check=check,
)
