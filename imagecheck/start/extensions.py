"""The extensions of an image: Lambda starts every file in /opt/extensions.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import FileKind
from imagecheck.start.exec_chain import Chain

if TYPE_CHECKING:
    from imagecheck.subject import Subject

FOLDER: Final = "/opt/extensions"
MAX_EXTENSIONS: Final = 10
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""


def extensions_of(subject: "Subject") -> list[Node]:
    """Return the files that Lambda starts as extensions, by name."""
    folder = subject.files.find(FOLDER) if subject.files else None
    if not folder:
        return []
    return [node for _, node in sorted(folder.children.items()) if node.kind is FileKind.FILE]


def chains_of(subject: "Subject") -> Iterator[tuple[Node, Chain]]:
    """Walk from each extension to the machine code that runs."""
    if subject.files:
        for node in extensions_of(subject):
            yield node, subject.walk(subject.files, node.path)
