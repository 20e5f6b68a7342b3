"""Runs a program, and tells what it has taken."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.document import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The kernel counts the memory of whoever starts a program as that program's own, so a small one
# does. The figures are on standard error; what the program says is on standard output.
_STARTER: Final = """
import os, sys, time
began = time.monotonic()
both = [(os.POSIX_SPAWN_DUP2, 1, 2)]
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=both)
_, status, usage = os.wait4(pid, 0)
wall, cpu = time.monotonic() - began, usage.ru_utime + usage.ru_stime
print(wall, cpu, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status), file=sys.stderr)
"""


class Run(NamedTuple):
    """The measures of one process: seconds of wall clock and CPU, peak memory, status."""

    wall: float
    cpu: float
    peak_mib: float
    status: int
    last_line: str


def run_program(command: Sequence[str], environment: Mapping[str, str]) -> Run:
    """Run a program in the folder of the repository, with these variables added."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _STARTER, *command],
        cwd=ROOT,
        # As an installed package, it finds its bytecode.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    wall, cpu, peak_mib, status = done.stderr.split()
    last = (done.stdout.strip().splitlines() or [""])[-1]
    return Run(float(wall), float(cpu), float(peak_mib), int(status), last)
