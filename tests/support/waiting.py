"""A thread that waits for a lock."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def waiting(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> Iterator[None]:
    """Let a thread act that comes to a lock of this one's; go on once it has to wait.

    The lock is to be given up in the block. Leaving it waits for the thread.
    """
    waits, sleep = threading.Event(), time.sleep

    def wait(seconds: float) -> None:
        waits.set()
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", wait)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001  (it is raised where the test sees it)
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert waits.wait(60), "it has not waited"
    yield
    thread.join()
    for failure in failures:
        raise failure
