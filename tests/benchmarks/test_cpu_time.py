"""The CPU time of a process is what its threads have taken, and not how long they waited."""

import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from benchmarks.cpu_time import cpu_ms

# It has threads that compute for a fifth of a second and end, and then waits for its input to end.
_WORKED = """
import sys, threading, time
def work():
    end = time.thread_time() + 0.1
    while time.thread_time() < end: pass
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(flush=True)
sys.stdin.read()
"""

# It says when it has computed for a fifth of a second, then waits for its input to end.
_WORKS = """
import sys, threading, time
def work():
    end = time.thread_time() + 0.1
    while time.thread_time() < end: pass
    print(flush=True)
    sys.stdin.read()
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
"""


@pytest.fixture
def worker() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", _WORKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.readline()
        yield process
        process.kill()


def test_all_threads_count(worker: "subprocess.Popen[bytes]") -> None:
    assert cpu_ms(worker.pid) > 200


def test_threads_that_have_ended_count() -> None:
    with subprocess.Popen(
        [sys.executable, "-S", "-c", _WORKED], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        found = cpu_ms(process.pid)
        process.kill()

    assert found > 200


def test_waiting_does_not_count(worker: "subprocess.Popen[bytes]") -> None:
    before = cpu_ms(worker.pid)
    threading.Event().wait(0.2)

    assert cpu_ms(worker.pid) - before < 100


def test_it_is_what_the_process_itself_is_told() -> None:
    usage = resource.getrusage(resource.RUSAGE_THREAD)
    own = usage.ru_utime + usage.ru_stime

    assert cpu_ms(os.getpid()) > own * 1000 * 0.9


def test_a_process_that_is_none_is_an_error(worker: "subprocess.Popen[bytes]") -> None:
    worker.kill()
    worker.wait()

    with pytest.raises(ProcessLookupError, match=str(worker.pid)):
        cpu_ms(worker.pid)
