"""The processes that a test has started."""

import os
from pathlib import Path


def child_processes() -> set[int]:
    """The process ids below this process."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # It has ended meanwhile.
            continue
        if parent == os.getpid():
            found.add(int(stat.parent.name))
    return found


def processes_that_know(text: str) -> set[int]:
    """The process ids that have a text in their environment, such as a folder's path."""
    found = set()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            knows = text.encode() in environ.read_bytes()
        except OSError:  # It has ended meanwhile, or is another user's.
            continue
        if knows and int(environ.parent.name) != os.getpid():
            found.add(int(environ.parent.name))
    return found
