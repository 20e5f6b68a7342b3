"""The CPU time of a running process, as the kernel's scheduler counts it.

It varies far less than the time by the clock where other processes keep the machine busy.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def cpu_ms(pid: int) -> float:
    """Return the CPU time of all threads that a process has now, in milliseconds.

    That of its children and of threads that have ended is not in it.
    https://docs.kernel.org/scheduler/sched-stats.html
    """
    nanoseconds = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            nanoseconds += int((task / "schedstat").read_text(encoding="ascii").split()[0])
    return nanoseconds / 1_000_000
