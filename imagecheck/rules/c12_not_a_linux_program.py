"""Not a Linux program."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule
from imagecheck.start.start_problems import problems_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what following the start found."""
    yield from problems_of(subject, "C12")


RULE = Rule(
    id="C12",
    title="Not a Linux program",
    severity="error",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "The file is executable, but is a program of macOS or Windows, an archive, or an ELF"
        " file that was cut off. The kernel answers ENOEXEC, or the process ends at once."
    ),
    fix="Build the program for Linux and the function's CPU, and copy the whole file.",
    source="https://man7.org/linux/man-pages/man2/execve.2.html",
    bad="""\
# built on a Mac: go build -o server .
COPY server /server
""",
    good="""\
# GOOS=linux GOARCH=arm64 go build -o server .
COPY server /server
""",
    check=check,
)
