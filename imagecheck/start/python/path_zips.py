"""The zip files on an interpreter's path, and the names of the modules that they may have."""

import io
import zipfile
from collections.abc import Iterable
from typing import TYPE_CHECKING

from imagecheck.image.layer import MAX_FILE_BYTES, FileKind

if TYPE_CHECKING:
    from imagecheck.subject import Subject


class PathZips:
    """The zip files among the entries of the path, as far as they can be read."""

    def __init__(self, names: frozenset[str], *, has_unread: bool) -> None:
        self._names = names
        self._has_unread = has_unread

    def may_have(self, top: str) -> bool:
        """Whether one of them may have a top-level module of this name."""
        return self._has_unread or top in self._names


def read_path_zips(subject: "Subject", entries: Iterable[str]) -> PathZips:
    """Read the names in the zip files among the entries of the path. Raises ImageReadError."""
    assert subject.files  # noqa: S101  (nothing is started without files)
    nodes = [node for entry in entries if (node := subject.files.find(entry))]
    nodes = [node for node in nodes if node.kind is FileKind.FILE]
    small = [node for node in nodes if node.entry.size <= MAX_FILE_BYTES]
    texts = subject.contents(small) if small else {}
    names: set[str] = set()
    has_unread = len(small) < len(nodes)
    for node in small:
        try:
            with zipfile.ZipFile(io.BytesIO(texts.get(node.path, b""))) as archive:
                for name in archive.namelist():
                    subject.budget.spend()
                    names.add(name.partition("/")[0].partition(".")[0])
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            continue
    return PathZips(frozenset(names), has_unread=has_unread)
