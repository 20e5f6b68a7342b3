"""The wrapper script is missing."""

import errno
from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import EXIT_ERROR, START, Problem, Rule
from imagecheck.start.aws_base import AWS_BOOTSTRAP
from imagecheck.start.exec_chain import ExecFault

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Walk from the wrapper to its machine code."""
    wrapper = subject.start.environment.get("AWS_LAMBDA_EXEC_WRAPPER")
    if not wrapper or not subject.files:
        return
    chain = subject.walk(subject.files, wrapper)
    if not chain.cause or (chain.cause is ExecFault.NO_FORMAT and _is_run_by_shell(subject)):
        return
    found = f"AWS_LAMBDA_EXEC_WRAPPER={wrapper} cannot be started: {chain}: {chain.cause}"
    fix = f"copy {wrapper} into the image with its exec bit, or remove the variable"
    if subject.runtime and not subject.runtime.cause:
        # As shells do it, and so AWS's bootstrap, which is a script.
        status = 127 if chain.errno in {errno.ENOENT, errno.ENOTDIR, None} else 126
        yield Problem(f"{found}; exit status {status}", fix)
    else:
        yield Problem(f"{found}; only AWS's own runtimes look at it", fix, severity="warning")


def _is_run_by_shell(subject: "Subject") -> bool:
    """Whether a script starts the wrapper: a shell runs by itself what has no shebang."""
    node = subject.files.find(AWS_BOOTSTRAP) if subject.files else None
    return bool(node and not node.entry.elf and subject.runtime and not subject.runtime.cause)


RULE = Rule(
    id="D5",
    title="The wrapper script is missing",
    severity="error",
    error_type=EXIT_ERROR,
    when=START,
    why=(
        "AWS's runtimes start the program that AWS_LAMBDA_EXEC_WRAPPER names, and pass it the"
        " runtime as its arguments. Usually a tracing tool brings it. If it is not in the image,"
        " or not executable, the start ends with status 127 or 126."
    ),
    fix="Copy the wrapper into the image with its exec bit, or remove the variable.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html",
    bad="""\
ENV AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-instrument
""",
    good="""\
COPY --from=layer /opt/ /opt/
ENV AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-instrument
""",
    check=check,
)
