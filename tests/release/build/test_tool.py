"""A builder's output is shown and kept, and an interruption leaves nothing running."""

import os
import signal
import stat
import threading
from pathlib import Path

import pytest

from release.build.tool import BuildToolError, run_tool


def shell(script: str, folder: Path, **environment: str) -> None:
    run_tool(["sh", "-c", script], folder=folder, environment=environment)


def test_what_it_says_is_said_on_the_error_stream(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shell("echo one; echo two >&2; echo; printf '\\033[31mred'", tmp_path)

    assert capsys.readouterr() == ("", "  one\n  two\n  \\x1b[31mred\n")


def test_its_last_words_are_kept_when_it_fails(tmp_path: Path) -> None:
    with pytest.raises(BuildToolError) as failed:
        shell("seq 1000; exit 3", tmp_path)

    assert failed.value.lines == [str(number) for number in range(801, 1001)]


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_tool(["no-such-program"], folder=tmp_path)


def test_what_it_makes_can_be_read_by_others_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        shell("mkdir made; echo > made/file", tmp_path)
    finally:
        os.umask(before)

    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("made", "made/file")]
    assert modes == [0o755, 0o644]


def test_its_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAKEN", "away")
    monkeypatch.setenv("KEPT", "as it is")

    shell('echo "${TAKEN-nothing} $KEPT $NEW"', tmp_path, TAKEN="", NEW="new")

    assert capsys.readouterr().err == "  nothing as it is new\n"


def test_an_interruption_ends_it_and_its_children(tmp_path: Path) -> None:
    """The pipe is at its end when no process is left that could write to it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    script = "(echo here; exec sleep 1000) > pipe & wait"

    def interrupt() -> None:
        with pipe.open() as reader:
            reader.readline()
            os.kill(os.getpid(), signal.SIGINT)
            ended.append(reader.read())

    ended: list[str] = []
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        shell(script, tmp_path)
    thread.join()

    assert ended == [""]
