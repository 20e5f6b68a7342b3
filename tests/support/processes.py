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
