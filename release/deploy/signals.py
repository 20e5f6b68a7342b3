"""An end from outside: Ctrl-C, a terminal that is closed, a job that is cancelled."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Windows has no SIGHUP.
_ENDS = (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
_ALL = (signal.SIGINT, *_ENDS)


@contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """Make of SIGTERM and SIGHUP what Ctrl-C is: a KeyboardInterrupt, so that all is cleaned up."""
    with _handled(dict.fromkeys(_ENDS, _interrupt)):
        yield


@contextmanager
def ignored_signals() -> Iterator[None]:
    """Let nothing interrupt what puts things back. It has to be short."""
    with _handled(dict.fromkeys(_ALL, signal.SIG_IGN)):
        yield


@contextmanager
def deferred_signals() -> Iterator[None]:
    """Let an interruption wait for the end of what must not be left halfway. It has to be short."""
    came: list[int] = []
    with _handled(dict.fromkeys(_ALL, lambda number, _: came.append(number))):
        yield
    if came:
        raise KeyboardInterrupt


@contextmanager
def _handled(handlers: dict[signal.Signals, Any]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
