"""An extension is for another CPU than the function."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import LAUNCH_ERROR, START, Problem, Rule
from imagecheck.start.exec_chain import ExecFault
from imagecheck.start.extensions import chains_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Walk from each extension to its machine code."""
    if subject.is_wholly_of_another_cpu:
        return
    architecture = subject.function.architecture
    for _, chain in chains_of(subject):
        if chain.cause is ExecFault.WRONG_MACHINE:
            yield Problem(
                f"{chain}: not for {architecture}, but {chain.end}",
                f"copy the extension's {architecture} build: look at COPY --from",
            )


RULE = Rule(
    id="F1",
    title="An extension of another CPU",
    severity="error",
    error_type=LAUNCH_ERROR,
    when=START,
    why=(
        "Lambda starts every file in /opt/extensions beside the function, and one that cannot"
        " be started ends the environment. Vendors publish an image for each CPU."
    ),
    fix="Copy the extension's build for the function's CPU.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html",
    bad="""\
# for a function with Architectures: [arm64]
COPY --from=agent:latest-amd64 /opt/extensions/agent /opt/extensions/agent
""",
    good="""\
COPY --from=agent:latest-arm64 /opt/extensions/agent /opt/extensions/agent
""",
    check=check,
)
