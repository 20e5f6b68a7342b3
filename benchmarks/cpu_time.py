"""The CPU time of a running process, as the kernel's scheduler counts it.

It varies far less than the time by the clock where other processes keep the machine busy.
"""

from __future__ import annotations

import time


def cpu_ms(pid: int) -> float:
    """Return the CPU time that a process has had up to now, in milliseconds.

    That of threads that have ended is in it, and ``/proc/PID/task/*/schedstat`` forgets it. That of
    its children is not. https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html

    Raises:
        ProcessLookupError: there is no such process.

    """
    # What clock_getcpuclockid(3) returns, which Python has for threads only.
    process_clock = ~pid << 3 | 2
    try:
        return time.clock_gettime_ns(process_clock) / 1_000_000
    except OSError as error:
        raise ProcessLookupError(f"there is no process {pid}") from error
