"""The entrypoint is not executable for the function."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule
from imagecheck.start.start_problems import problems_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report what following the start found."""
    yield from problems_of(subject, "C7")


RULE = Rule(
    id="C7",
    title="The entrypoint is not executable for the function",
    severity="error",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "Lambda runs everything as a user who owns nothing in the image and is in none of its"
        " groups. The program needs the x bit for others, a script also the r bit, and each"
        " folder on the way the x bit. A home of mode 0700, such as /root, closes all that is in"
        " it. For the same reason gosu and su-exec cannot become another user."
    ),
    fix=(
        "RUN chmod a+rx on the program, and a+x on the folders above it; or install it in a"
        " folder that everybody may enter."
    ),
    source="https://docs.aws.amazon.com/lambda/latest/dg/images-create.html",
    bad="""\
COPY --chmod=0700 run.sh /run.sh
ENTRYPOINT ["/run.sh"]
""",
    good="""\
COPY --chmod=0755 run.sh /run.sh
ENTRYPOINT ["/run.sh"]
""",
    check=check,
)
