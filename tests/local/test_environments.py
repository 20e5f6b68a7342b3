"""The execution environments of a version: one for each invocation, as many as there may be."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from local.emulated_aws import functions
from local.emulated_aws.functions import ENVIRONMENTS, FunctionsClosedError, _Running

WAIT_SECONDS = 60


class Environment:
    """Stands in for an environment and for its execution."""

    def __init__(self) -> None:
        self.execution = self
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(functions, "_PATIENCE_S", 0.01)
    return _Running(object(), lambda _: Environment())  # type: ignore[arg-type, return-value]


def test_one_after_the_other_takes_the_same(running: Any) -> None:
    with running.environment() as first:
        pass
    with running.environment() as second:
        pass

    assert first is second


def test_one_beside_the_other_takes_another(running: Any) -> None:
    with running.environment() as first, running.environment() as second:
        assert first is not second


def test_the_one_that_was_used_last_is_taken(running: Any) -> None:
    with running.environment():
        with running.environment() as second:
            pass
        with running.environment() as third:
            assert third is second


def test_when_all_are_taken_one_waits_for_the_next_that_is_free(running: Any) -> None:
    with ExitStack() as taken, ThreadPoolExecutor() as pool:
        every = [taken.enter_context(running.environment()) for _ in range(ENVIRONMENTS)]

        def take() -> Any:
            with running.environment() as environment:
                return environment

        waiting = pool.submit(take)
        with pytest.raises(TimeoutError):
            waiting.result(0.2)
        taken.close()

        assert waiting.result(WAIT_SECONDS) in every


def test_many_at_once_have_each_an_environment_to_itself(running: Any) -> None:
    taken: set[Any] = set()
    seen: set[Any] = set()
    begin = threading.Barrier(20)

    def take() -> None:
        begin.wait()
        for _ in range(100):
            with running.environment() as environment:
                assert environment not in taken
                taken.add(environment)
                seen.add(environment)
                taken.remove(environment)

    with ThreadPoolExecutor(20) as pool:
        for done in [pool.submit(take) for _ in range(20)]:
            done.result(WAIT_SECONDS)
    assert 1 <= len(seen) <= ENVIRONMENTS


def test_one_that_cannot_be_made_takes_nobodys_place() -> None:
    faults: Iterator[bool] = iter([True] * (ENVIRONMENTS + 1) + [False])

    def new(_: object) -> Environment:
        if next(faults):
            raise RuntimeError("it cannot be unpacked")
        return Environment()

    running: Any = _Running(object(), new)  # type: ignore[arg-type]
    for _ in range(ENVIRONMENTS + 1):
        with pytest.raises(RuntimeError, match="unpacked"), running.environment():
            pass
    with running.environment() as environment:
        assert isinstance(environment, Environment)


def test_closing_ends_all_and_every_wait(running: Any) -> None:
    with ExitStack() as taken, ThreadPoolExecutor() as pool:
        every = [taken.enter_context(running.environment()) for _ in range(ENVIRONMENTS)]
        waiting = pool.submit(lambda: running.environment().__enter__())
        running.close()

        assert all(environment.is_closed for environment in every)
        with pytest.raises(FunctionsClosedError):
            waiting.result(WAIT_SECONDS)
    with pytest.raises(FunctionsClosedError), running.environment():
        pass
