"""Output of commands: the answer on standard output, everything else on standard error."""

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator
from typing import TextIO

import typer

from imagecheck.image.errors import ImageReadError

_SHOWN_FROM_SECONDS = 0.001
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def printable(text: str, keep: str = "") -> str:
    """Leave nothing of an image's names and texts that a terminal would obey, but ``keep``."""
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text
    )


def unstyled(text: str) -> str:
    """Take the colours out of a text of ours."""
    return _STYLE.sub("", text)


def print_answer(text: str) -> None:
    """Print what was asked for. Raises ImageReadError when it cannot be written."""
    try:
        typer.echo(text)
    except OSError as error:
        # Python's own last flush goes where it can:
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        # Where who read the output has gone, the answer stays what it is.
        if not isinstance(error, BrokenPipeError):
            raise ImageReadError(f"the answer cannot be written: {error.strerror}") from error


def is_output_unread() -> bool:
    """Whether the reader of standard output has gone; then nothing more is written to it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


class _Messages:
    """Where messages go; None: to the standard error stream."""

    log: TextIO | None = None


@contextlib.contextmanager
def messages_to(log: TextIO) -> Iterator[None]:
    """Write what ``say`` and ``step`` say into a log instead; ``warn`` goes to both."""
    before, _Messages.log = _Messages.log, log
    try:
        yield
    finally:
        _Messages.log = before


def are_messages_logged() -> bool:
    """Whether messages go into a log, so that nothing else is to be shown of what is done."""
    return _Messages.log is not None


def say(text: str) -> None:
    """Tell a person something, beside the answer."""
    with contextlib.suppress(OSError):
        typer.echo(printable(text, keep="\n"), file=_Messages.log or sys.stderr)


def warn(text: str) -> None:
    """Tell a person something that must not be missed."""
    if _Messages.log:
        say(text)
    with contextlib.suppress(OSError):
        typer.echo(printable(text, keep="\n"), err=True)


def pass_on(output: bytes) -> None:
    """Show what a program writes, as it comes: a question has no line end."""
    with contextlib.suppress(OSError):
        if _Messages.log:
            _Messages.log.write(output.decode("utf-8", "replace"))
            _Messages.log.flush()
            return
        sys.stderr.buffer.write(output)
        sys.stderr.flush()


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Say what takes a while, and how long it took; also when it fails."""
    start = time.monotonic()
    say(f"{what} ...")
    try:
        yield
    except BaseException:
        say(f"{what}: failed after {time.monotonic() - start:.1f} s")
        raise
    say(f"{what}: {time.monotonic() - start:.1f} s")


@contextlib.contextmanager
def timed(what: str) -> Iterator[None]:
    """Say how long something took, once it is done; not of what took less than a millisecond."""
    start = time.perf_counter()
    try:
        yield
    finally:
        if (seconds := time.perf_counter() - start) >= _SHOWN_FROM_SECONDS:
            say(f"{what}: {seconds:.3f} s")
