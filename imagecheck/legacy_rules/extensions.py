"""Section F: extensions. Lambda starts every file in /opt/extensions, and any failure is fatal.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

import posixpath
from collections.abc import Iterator

from imagecheck.finding import Finding
from imagecheck.image.filesystem import Node
from imagecheck.image.layer import Kind
from imagecheck.legacy_rules.legacy import error
from imagecheck.start.exec_chain import Cause
from imagecheck.subject import Subject

FOLDER = "/opt/extensions"
MAX_EXTENSIONS = 10


def extension_cannot_be_started(subject: Subject) -> Iterator[Finding]:
    """F1 for another CPU, F2 for all else."""
    if not subject.files:
        return
    for node in _extensions(subject):
        chain = subject.walk(subject.files, node.path)
        if not chain.cause:
            continue
        if chain.cause is not Cause.WRONG_MACHINE:
            fix = f"RUN chmod a+rx {node.path}, line ends LF, a true shebang"
            yield error("F2", f"{chain}: {chain.end}", fix)
        elif not subject.is_wholly_of_another_cpu:
            architecture = subject.function.architecture
            yield error(
                "F1",
                f"{chain}: not for {architecture}, but {chain.end}",
                f"copy the extension's {architecture} build: look at COPY --from",
            )


def too_many_extensions(subject: Subject) -> Iterator[Finding]:
    """F3."""
    names = [posixpath.basename(node.path) for node in _extensions(subject)]
    if len(names) > MAX_EXTENSIONS:
        yield error(
            "F3",
            f"{FOLDER} has {len(names)} files; Lambda starts {MAX_EXTENSIONS}",
            "remove what is no extension from the folder",
            error_type="Extension.LaunchError (TooManyExtensions)",
        )


def _extensions(subject: Subject) -> list[Node]:
    folder = subject.files.find(FOLDER) if subject.files else None
    if not folder:
        return []
    return [node for _, node in sorted(folder.children.items()) if node.kind is Kind.FILE]


RULES = (extension_cannot_be_started, too_many_extensions)
