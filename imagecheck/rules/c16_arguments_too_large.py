"""Arguments and environment are too large."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_ENTRYPOINT, INVALID_PARAMETER, START, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject

# include/uapi/linux/binfmts.h (MAX_ARG_STRLEN) and fs/exec.c, for the usual stack of 8 MiB.
_MAX_STRING_BYTES = 131072
_MAX_STRINGS_BYTES = 2 * 1024**2
_MAX_ENVIRONMENT_BYTES = 4096
_FIX = "put large values into a file or a parameter store"


def check(subject: "Subject") -> Iterator[Problem]:
    """Add up what the program gets."""
    start = subject.start
    variables = [f"{name}={value}" for name, value in start.environment.items()]
    sizes = [len(text.encode()) + 1 for text in (*start.argv, *variables)]
    if sizes and (max(sizes) > _MAX_STRING_BYTES or sum(sizes) > _MAX_STRINGS_BYTES):
        yield Problem(
            f"arguments and environment have {sum(sizes):,} bytes, the longest {max(sizes):,};"
            f" the kernel takes {_MAX_STRING_BYTES:,} in one and {_MAX_STRINGS_BYTES:,} in all"
            " (E2BIG)",
            _FIX,
        )
    own = sum(len(f"{k}{v}".encode()) for k, v in subject.function.environment.items())
    if own > _MAX_ENVIRONMENT_BYTES:
        yield Problem(
            f"the function's environment has {own:,} bytes; Lambda takes"
            f" {_MAX_ENVIRONMENT_BYTES:,}",
            _FIX,
            error_type=INVALID_PARAMETER,
        )


RULE = Rule(
    id="C16",
    title="Arguments and environment are too large",
    severity="error",
    error_type=INVALID_ENTRYPOINT,
    when=START,
    why=(
        "The kernel accepts 128 KiB in one argument or variable and about 2 MiB in all; beyond"
        " that, execve answers E2BIG. Lambda accepts 4 KiB of variables of the function itself."
    ),
    fix="Put large values into a file of the image, or into a parameter store.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
    bad="""\
ENV CERTIFICATES="…200 kB…"
""",
    good="""\
COPY certificates.pem /var/task/
""",
    check=check,
)
