"""A script's interpreter is missing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule
from imagecheck.start.start_problems import problems_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what following the start found."""
    yield from problems_of(subject, "C10")


RULE = Rule(
    id="C10",
    title="The script's interpreter is missing",
    severity="error",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "The shebang of a script names its interpreter. If the image has no such program, the"
        " kernel answers ENOENT, as if the script itself were missing. It also refuses a chain"
        " of more than five scripts that interpret each other."
    ),
    fix="Install the interpreter in the image, or name one that is there.",
    source="https://github.com/torvalds/linux/blob/master/fs/binfmt_script.c",
    bad="""\
FROM alpine
# run.sh: #!/bin/bash
ENTRYPOINT ["/app/run.sh"]
""",
    good="""\
FROM alpine
RUN apk add bash
# run.sh: #!/bin/bash
ENTRYPOINT ["/app/run.sh"]
""",
    check=check,
)
