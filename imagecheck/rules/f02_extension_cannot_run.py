"""An extension cannot be started, or ends at once."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.rule import LAUNCH_ERROR, START, Problem, Rule
from imagecheck.start.dynamic_loader import missing_libraries
from imagecheck.start.exec_chain import Chain, ExecFault
from imagecheck.start.extensions import chains_of

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_CRASH: Final = "Extension.Crash"
_SECOND_PROGRAMS: Final = {"datadog-agent": "/opt/datadog-agent-go"}
"""What an extension starts in its turn: https://github.com/DataDog/datadog-lambda-extension/issues/382"""


def check(subject: "Subject") -> Iterator[Problem]:
    """Walk from each extension to its machine code, and load its libraries."""
    for node, chain in chains_of(subject):
        if chain.cause and chain.cause is not ExecFault.WRONG_MACHINE:
            yield Problem(
                f"{chain}: {chain.end}",
                f"RUN chmod a+rx {node.path}, line ends LF, a true shebang",
                error_type=None if chain.errno else _CRASH,
            )
        elif not chain.cause:
            yield from _libraries(subject, node, chain)
            yield from _second_program(subject, node)


def _libraries(subject: "Subject", node: Node, chain: Chain) -> Iterator[Problem]:
    assert subject.files  # noqa: S101  (there is no extension without files)
    if not chain.program:
        return
    environment = subject.start.environment
    for lack in missing_libraries(subject.files, chain.program, environment, subject.contents):
        yield Problem(
            f"the extension {node.path}: {lack.text}; exit status {lack.exit_status}",
            "install the library in the image, or take the extension's build for it",
            severity="error" if lack.is_certain else "warning",
            error_type=_CRASH,
        )


def _second_program(subject: "Subject", node: Node) -> Iterator[Problem]:
    """Warn of a program that the extension names, and may start, where it was not copied."""
    name = node.path.rpartition("/")[2]
    second = _SECOND_PROGRAMS.get(name)
    files = subject.files
    if not second or not files or files.find(second):
        return
    if second.encode() in subject.contents([node])[node.path]:
        yield Problem(
            f"{node.path} may start {second}, which is not in the image: it ends then",
            "copy all of the vendor's folder: COPY --from=public.ecr.aws/datadog/lambda-extension"
            " /opt/. /opt/",
            severity="warning",
            error_type=_CRASH,
        )


RULE = Rule(
    id="F2",
    title="An extension that cannot be run",
    severity="error",
    error_type=LAUNCH_ERROR,
    when=START,
    why=(
        "Lambda starts every file in /opt/extensions beside the function. One that is not"
        " executable, whose interpreter or loader is missing, or that lacks a library, ends the"
        " environment before the handler is loaded."
    ),
    fix="Copy all that belongs to the extension, in the build for this image's libc.",
    source="https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html",
    bad="""\
FROM python:3.13-alpine
COPY --from=public.ecr.aws/datadog/lambda-extension:latest /opt/extensions/ /opt/extensions/
""",
    good="""\
FROM python:3.13-alpine
COPY --from=public.ecr.aws/datadog/lambda-extension:latest-alpine /opt/. /opt/
""",
    check=check,
)
