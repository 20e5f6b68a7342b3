"""There are more extensions than Lambda starts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import LAUNCH_ERROR, START, Problem, Rule
from imagecheck.start.extensions import FOLDER, MAX_EXTENSIONS, extensions_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Count the files in the folder of extensions."""
    count = len(extensions_of(subject))
    if count > MAX_EXTENSIONS:
        yield Problem(f"{FOLDER} has {count} files; Lambda starts {MAX_EXTENSIONS}")


RULE = Rule(
    id="F3",
    title="Too many extensions",
    severity="error",
    error_type=f"{LAUNCH_ERROR} (TooManyExtensions)",
    when=START,
    why=(
        "Lambda starts each file in /opt/extensions as an extension, and refuses to start more than"
        " ten."
    ),
    fix="Remove files that are not extensions from the folder.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
    bad="""\
COPY tools/ /opt/extensions/
""",
    good="""\
COPY tools/ /opt/tools/
COPY agent /opt/extensions/agent
""",
    check=check,
)
