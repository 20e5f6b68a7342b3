"""The entrypoint is not an absolute path."""

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Look at the form of the program's name, where there is such a program."""
    argv = subject.start.argv
    if not argv or argv[0].startswith("/") or not subject.chain or subject.chain.cause:
        return
    fix = f'write the whole path: ENTRYPOINT ["/…/{posixpath.basename(argv[0])}"]'
    declared = subject.function.declared
    if declared and declared.is_on_managed_instances:
        yield Problem(
            f"{argv[0]!r} is not an absolute path, and {declared.logical_id} runs on Lambda Managed"
            " Instances, which demand one",
            fix,
        )
    elif "/" in argv[0]:
        yield Problem(
            f"ENTRYPOINT {argv[0]!r} counts from the working directory; AWS documents absolute"
            " paths only",
            fix,
        )
    elif not subject.start.environment.get("PATH"):
        yield Problem(
            f"{argv[0]!r} has no path and the image sets no PATH to look for it on; whether Lambda"
            " has one then is not documented",
            f"{fix}, or set PATH",
        )


RULE = Rule(
    id="C14",
    title="The entrypoint is not an absolute path",
    severity="warning",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "Lambda looks up a name without a slash on the image's PATH, as Go's exec.Command does."
        " Lambda Managed Instances require an absolute path and refuse any other. A relative"
        " name with a slash starts at the working directory, and AWS documents absolute paths"
        " only."
    ),
    fix="Write the whole path of the program in ENTRYPOINT.",
    source="https://github.com/aws/aws-lambda-web-adapter/issues/630",
    bad="""\
CapacityProviderConfig: …   # Lambda Managed Instances
CMD ["uvicorn", "main:app"]
""",
    good="""\
CapacityProviderConfig: …   # Lambda Managed Instances
CMD ["/usr/local/bin/uvicorn", "main:app"]
""",
    check=check,
)
