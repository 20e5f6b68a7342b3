"""Iterators that run on a thread of their own, as far as bounded memory allows it.

Inflating and hashing leave the interpreter to others while they run, so two cores are worth two.
"""

import contextlib
import queue
import threading
from collections.abc import Iterator
from typing import Final, Generic, TypeVar

_T = TypeVar("_T")

DEPTH: Final = 4
"""How many pieces wait at most."""
_PATIENCE_SECONDS = 1.0


class ThreadedIterator(Generic[_T]):
    """Takes pieces from an iterator on a thread of its own before they are asked for."""

    def __init__(self, pieces: Iterator[_T]) -> None:
        self._pieces = pieces
        self._ready: queue.Queue[_T | BaseException] = queue.Queue(DEPTH)
        self._is_closed = False
        # A daemon: nobody waits for a network that is silent.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[_T]:
        """Give the pieces in their order, and raise what the iterator raises."""
        while True:
            found = self._ready.get()
            if isinstance(found, StopIteration):
                return
            if isinstance(found, BaseException):
                raise found
            yield found

    def close(self, *, wait: bool = False) -> None:
        """End the thread; a read that hangs is waited for only where ``wait`` says so."""
        self._is_closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._ready.get_nowait()
        self._thread.join(None if wait else _PATIENCE_SECONDS)

    def _run(self) -> None:
        try:
            for piece in self._pieces:
                if self._is_closed:
                    return
                self._ready.put(piece)
            end: BaseException = StopIteration()
        except BaseException as error:  # noqa: BLE001  (it is raised where the pieces are wanted)
            end = error
        if not self._is_closed:
            self._ready.put(end)
