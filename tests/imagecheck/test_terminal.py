"""Output of commands, and the stream that it goes to."""

import pytest

from imagecheck.terminal import printable, step


def test_printable() -> None:
    assert printable("a b→\x1b\n") == "a b→\\x1b\\n"
    assert printable("a\nb\t", keep="\n") == "a\nb\\t"


def test_a_step_says_that_it_begins_and_that_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with step("reading"):
        assert capsys.readouterr().err == "reading ...\n"

    printed = capsys.readouterr()
    assert printed.err.startswith("reading: ")
    assert printed.out == ""


def test_a_step_that_fails_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError), step("reading"):
        raise ValueError

    assert "reading: failed after 0.0 s" in capsys.readouterr().err
