"""The handler's module has a syntax error."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what judging the handler found."""
    yield from subject.judgement.of("E4")


RULE = Rule(
    id="E4",
    title="The handler's module has a syntax error",
    severity="error",
    error_type="Runtime.UserCodeSyntaxError",
    when=START,
    why=(
        "The interpreter of the image cannot parse the module, or treats it as a module of the"
        " other kind (ES module, CommonJS). Java does not load a class that was compiled for a"
        " newer Java."
    ),
    fix="Correct the file, or let its name and package.json say which kind of module it is.",
    source="https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/bootstrap.py",
    bad="""\
# package.json: {"type": "commonjs"}
# index.js: export const handler = async () => ({});
CMD ["index.handler"]
""",
    good="""\
# package.json: {"type": "module"}
# index.js: export const handler = async () => ({});
CMD ["index.handler"]
""",
    check=check,
)
