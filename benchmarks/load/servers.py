"""Starts the local system and its peer, each as a process, and tells what their parts compute."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.cpu_time import cpu_ms
from benchmarks.document import ROOT
from imagecheck.errors import FailedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

EDGE: Final = "edge, gateway, emulated AWS"
FUNCTION: Final = "function"
TABLE: Final = "DynamoDB Local"
_CHILDREN: Final = {b"awslambdaric": FUNCTION, b"DynamoDBLocal": TABLE}
_START_SECONDS: Final = 120


class Server(NamedTuple):
    """A running server."""

    url: str
    pid: int

    def cpu_ms(self) -> Mapping[str, float]:
        """Return the CPU time so far, in milliseconds, of each part: its process and children."""
        found = defaultdict(float, {EDGE: cpu_ms(self.pid)})
        for child in _children(self.pid):
            try:
                command = Path(f"/proc/{child}/cmdline").read_bytes()
                part = next((name for word, name in _CHILDREN.items() if word in command), EDGE)
                found[part] += cpu_ms(child)
            except OSError:
                """It has ended meanwhile."""
        return found


@contextmanager
def local_system(folder: Path) -> Iterator[Server]:
    """Start what ``make run`` starts, with its state in ``folder``, and wait until it serves.

    Raises FailedError when it does not come up.
    """
    with _started([sys.executable, "-m", "local", "--port", "0"], folder) as server:
        yield server


@contextmanager
def peer(folder: Path) -> Iterator[Server]:
    """Start the peer, and wait until it serves. Raises FailedError when it does not."""
    with _started([sys.executable, "-m", "benchmarks.load.peer"], folder) as server:
        yield server


@contextmanager
def _started(command: Sequence[str], folder: Path) -> Iterator[Server]:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Server(_url(process, log), process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until a server prints its URL."""
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text(encoding="utf-8")):
            return found[0]
        time.sleep(0.05)
    raise FailedError(f"the server does not start:\n{log.read_text(encoding='utf-8')}")


def _children(pid: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # It has ended meanwhile.
            continue
        if parent == pid:
            yield int(stat.parent.name)
