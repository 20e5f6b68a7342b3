"""The program's loader is missing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule
from imagecheck.start.start_problems import problems_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what following the start found."""
    yield from problems_of(subject, "C11")


RULE = Rule(
    id="C11",
    title="The program's loader is missing",
    severity="error",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "A dynamically linked program names the loader that starts it: that of glibc, or that"
        " of musl. If the image does not have it, the kernel answers ENOENT, as if the program"
        " itself were missing. This happens to a program of Debian or Amazon Linux in an Alpine"
        " image, and the reverse."
    ),
    fix="Build the program on the base that it runs on, or link it statically.",
    source="https://man7.org/linux/man-pages/man8/ld.so.8.html",
    bad="""\
FROM golang AS build
RUN go build -o /server .
FROM alpine
COPY --from=build /server /server
""",
    good="""\
FROM golang AS build
RUN CGO_ENABLED=0 go build -o /server .
FROM alpine
COPY --from=build /server /server
""",
    check=check,
)
