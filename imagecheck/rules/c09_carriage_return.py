"""Windows line ends in a script."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule
from imagecheck.start.start_problems import problems_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what following the start found."""
    yield from problems_of(subject, "C9")


RULE = Rule(
    id="C9",
    title="Windows line ends in a script",
    severity="error",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "A file that was checked out or edited on Windows ends its lines with a carriage return"
        " and a newline. The kernel reads the carriage return as part of the interpreter's name,"
        " and there is no /bin/sh\\r."
    ),
    fix="Write *.sh text eol=lf to .gitattributes, then run: git add --renormalize .",
    source="https://man7.org/linux/man-pages/man2/execve.2.html",
    bad="""\
$ head -1 run.sh | xxd
00000000: 2321 2f62 696e 2f73 680d 0a
""",
    good="""\
$ head -1 run.sh | xxd
00000000: 2321 2f62 696e 2f73 680a
""",
    check=check,
)
