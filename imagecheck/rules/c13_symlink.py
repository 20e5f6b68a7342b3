"""The entrypoint is a symlink to nothing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule
from imagecheck.start.start_problems import problems_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what following the start found."""
    yield from problems_of(subject, "C13")


RULE = Rule(
    id="C13",
    title="The entrypoint is a broken symlink",
    severity="error",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "The path of the program is a symlink that leads to no file, or to itself. The kernel"
        " follows links that lead to a program; those are not a problem."
    ),
    fix="Point the link to a file of the image, or name the file itself.",
    source="https://man7.org/linux/man-pages/man7/path_resolution.7.html",
    bad="""\
RUN ln -s /opt/python/bin/python3 /usr/bin/python3
ENTRYPOINT ["/usr/bin/python3"]
# and /opt/python was left in another stage
""",
    good="""\
COPY --from=build /opt/python /opt/python
ENTRYPOINT ["/usr/bin/python3"]
""",
    check=check,
)
