"""The command: which parts it measures, and what it says of others."""

from collections.abc import Callable, Mapping
from functools import partial

import pytest

import benchmarks.__main__ as command
from imagecheck.command_line import run_command_line

Run = Callable[..., int]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The parts that were measured, in order; measuring takes minutes."""
    measured: list[str] = []
    parts: Mapping[str, Callable[[], None]] = {
        name: partial(measured.append, name) for name in ("first", "second", "third")
    }
    monkeypatch.setattr(command, "_PARTS", parts)
    return measured


@pytest.fixture
def run() -> Run:
    return lambda *arguments: run_command_line(command.app, "bench", arguments, command="bench")


def test_only_the_named_parts_are_measured(measured: list[str], run: Run) -> None:
    assert run("second") == 0
    assert measured == ["second"]


def test_parts_are_measured_in_their_own_order(measured: list[str], run: Run) -> None:
    assert run("third", "first") == 0
    assert measured == ["first", "third"]


def test_without_a_name_all_are(measured: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["bench"])

    assert command.main() == 0
    assert measured == ["first", "second", "third"]


def test_an_option_alone_is_no_name(measured: list[str], run: Run) -> None:
    assert run("--debug") == 0
    assert measured == ["first", "second", "third"]


def test_each_part_is_named_with_its_time(
    measured: list[str], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("second")

    assert capsys.readouterr().err == "second ...\nsecond: 0 s\n"
    assert measured


def test_a_part_that_there_is_not_is_named_with_those_that_are(
    measured: list[str], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("second", "fourth") == 2
    said = capsys.readouterr().err
    assert "there is no part called fourth" in said
    assert "there are: first, second, third" in said
    assert measured == []


def test_the_help_names_every_part(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    said = capsys.readouterr().out
    assert [part for part in command._PARTS if part not in said] == []


def test_a_part_that_fails_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, measured: list[str], run: Run
) -> None:
    def fail() -> None:
        raise ValueError("docs/benchmarks.md has no block first")

    parts = {**command._PARTS, "first": fail}
    monkeypatch.setattr(command, "_PARTS", parts)

    assert run("first", "second") == 2
    assert measured == []
