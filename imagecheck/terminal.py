"""Output of commands: the answer on standard output, everything else on standard error."""

import contextlib
import os
import sys
import time
from collections.abc import Iterator

import typer

from imagecheck.image.errors import ImageReadError

_SHOWN_FROM_SECONDS = 0.001


def printable(text: str, keep: str = "") -> str:
    """Leave nothing of an image's names and texts that a terminal would obey, but ``keep``."""
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text
    )


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


def say(text: str) -> None:
    """Tell a person something, beside the answer."""
    with contextlib.suppress(OSError):
        typer.echo(printable(text, keep="\n"), err=True)


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
