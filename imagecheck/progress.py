"""A progress bar for reading and sending, on a terminal only."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from imagecheck.terminal import are_messages_logged

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class ProgressBar:
    """A bar on the standard error stream, where that is a terminal."""

    def __init__(self, what: str = "reading layers") -> None:
        self._what = what
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        """Nothing is shown before there is something to read."""
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Take the bar off the screen."""
        if self._bar:
            self._bar.stop()

    def begin(self, total: int) -> None:
        """It starts; so many compressed bytes are to come."""
        if not total or are_messages_logged() or not (sys.stderr and sys.stderr.isatty()):
            return
        # Rich is as slow to import as all the rest together, and a pipe does not need it.
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TransferSpeedColumn,
        )

        if self._bar is None:
            self._bar = Progress(
                TextColumn(self._what),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task("", total=total)

    def advance(self, count: int) -> None:
        """So many more bytes have gone; fewer than none where some have to go again."""
        if self._bar and self._task is not None:
            self._bar.advance(self._task, count)
