"""The entrypoint is missing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule
from imagecheck.start.start_problems import problems_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_COVERED = ("/tmp/", "/dev/", "/proc/", "/sys/")  # noqa: S108


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what following the start found, and what Lambda hides at run time."""
    yield from problems_of(subject, "C6")
    program = subject.start.argv[0] if subject.start.argv else ""
    if program.startswith(_COVERED) and subject.files and subject.files.find(program):
        yield Problem(
            f"the entrypoint {program} is in a folder that Lambda mounts something else over, so"
            " that it is not there (ENOENT)",
            "put it elsewhere: the function's own folders are /var/task and /opt",
        )


RULE = Rule(
    id="C6",
    title="The entrypoint is missing",
    severity="error",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "The image has no such program. A name without a slash is looked up in the folders of"
        " PATH, one with a slash at that path. The same holds for the programs that the"
        " entrypoint starts in its turn: the command of a shell, the child of tini, the file of"
        " an interpreter; for those Lambda shows Runtime.ExitError and the exit status. /tmp is"
        " empty when a function starts, whatever the image has there."
    ),
    fix=(
        "Copy or install the program in the last stage of the Dockerfile, or name one that is"
        " there."
    ),
    source="https://github.com/aws/aws-lambda-runtime-interface-emulator/blob/main/internal/lambda/supervisor/local_supervisor.go",
    bad="""\
FROM python:3.13-slim
CMD ["gunicorn", "app:app"]
""",
    good="""\
FROM python:3.13-slim
RUN pip install gunicorn
CMD ["gunicorn", "app:app"]
""",
    check=check,
)
