"""The bar: only where somebody can see it, and never more than one."""

import io
import sys

import pytest

from imagecheck.progress import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    # Not a fixture: between it and the test, pytest puts its own stream there.
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return terminal


def test_it_shows_how_far_the_reading_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with ProgressBar() as bar:
        bar.begin(4_000_000)
        bar.advance(1_000_000)
        bar.advance(3_000_000)

    assert "reading layers" in terminal.getvalue()
    assert "4.0/4.0 MB" in terminal.getvalue()


def test_it_takes_itself_off_the_screen_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with pytest.raises(KeyboardInterrupt), ProgressBar() as bar:
        bar.begin(10)
        raise KeyboardInterrupt

    shown = terminal.getvalue()
    assert shown.rindex("\x1b[2K") > shown.rindex("reading layers")  # the line is erased,
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")  # and the cursor is back


def test_one_bar_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with ProgressBar() as bar:
        bar.begin(1_000_000)
        bar.advance(1_000_000)
        bar.begin(2_000_000)
        bar.advance(500_000)

    assert "0.5/2.0 MB" in terminal.getvalue()


def test_nothing_to_read_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with ProgressBar() as bar:
        bar.begin(0)
        bar.advance(5)

    assert terminal.getvalue() == ""


def test_nothing_is_shown_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stderr", stream)
        with ProgressBar() as bar:
            bar.begin(10)
            bar.advance(5)
        assert stream is None or stream.getvalue() == ""
