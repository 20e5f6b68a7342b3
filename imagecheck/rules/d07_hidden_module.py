"""A file hides a module that the runtime client needs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import EXIT_ERROR, START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what judging the handler found."""
    yield from subject.judgement.of("D7")


RULE = Rule(
    id="D7",
    title="A file hides a module that the runtime client needs",
    severity="error",
    error_type=EXIT_ERROR,
    when=START,
    why=(
        "python -m awslambdaric looks for modules in the working directory first. A file there"
        " that has the name of a Python module, such as json.py, is imported in its place. The"
        " client then ends before it can report anything."
    ),
    fix="Give the file another name, or put it into a package.",
    source="https://docs.python.org/3/library/sys_path_init.html",
    bad="""\
# /app/logging.py, /app/main.py
WORKDIR /app
ENTRYPOINT ["python", "-m", "awslambdaric"]
CMD ["main.handler"]
""",
    good="""\
# /app/log_setup.py, /app/main.py
WORKDIR /app
ENTRYPOINT ["python", "-m", "awslambdaric"]
CMD ["main.handler"]
""",
    check=check,
)
