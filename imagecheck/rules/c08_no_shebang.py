"""A script without a shebang."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule
from imagecheck.start.start_problems import problems_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what following the start found."""
    yield from problems_of(subject, "C8")


RULE = Rule(
    id="C8",
    title="A script without a shebang",
    severity="error",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "Lambda starts the entrypoint by execve, without a shell. The kernel executes ELF"
        " programs, and scripts whose first two bytes are #!. A shell would run any other text"
        " as a script of its own; the kernel answers ENOEXEC."
    ),
    fix=("Begin the file with #!/bin/sh, or with its own interpreter, without a byte order mark."),
    source="https://man7.org/linux/man-pages/man2/execve.2.html",
    bad="""\
# run.sh: exec /app/server
ENTRYPOINT ["/app/run.sh"]
""",
    good="""\
# run.sh: #!/bin/sh
#         exec /app/server
ENTRYPOINT ["/app/run.sh"]
""",
    check=check,
)
