"""The time that a command takes, with all that it starts and leaves behind.

CDK's app starts Node, and ends without a wait for it. So the kernel gives the CPU time of that Node
to nobody who has started the command, unless orphans come to him: this file is run as a process of
its own, which becomes the parent of every orphan, and waits for all.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
_PR_SET_CHILD_SUBREAPER: Final = 36
_LAST_LINES: Final = 15


class Taken(NamedTuple):
    """Seconds: until the command ended, and of CPU time in all its processes."""

    wall: float
    cpu: float


def time_of(command: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> Taken:
    """Run a command in a folder, and return its time.

    Raises RuntimeError with the end of its output when it fails.
    """
    done = subprocess.run(
        [sys.executable, "-I", __file__, *command],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.splitlines()[-_LAST_LINES:]
        raise RuntimeError("\n".join((f"{command[0]} failed:", *said)))
    return Taken(*json.loads(done.stdout))


def _main(command: Sequence[str]) -> int:
    """Print the two numbers, and return the command's exit status. What it prints is dropped."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    began = time.perf_counter()
    status = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False
    ).returncode
    wall = time.perf_counter() - began
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    sys.stdout.write(json.dumps([wall, used.ru_utime + used.ru_stime]))
    return status


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
