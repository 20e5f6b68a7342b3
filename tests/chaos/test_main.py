"""The command: when it says yes, no, or that it could not be done."""

from pathlib import Path
from typing import Any

import pytest

import chaos.__main__ as command
from chaos.figures import Figures
from chaos.judge import Violation
from imagecheck.command_line import run_command_line

VIOLATION = Violation("a seat is lost", "BCDF23", ("who sat there", "who does not"))


class Ran:
    """Stands in for the trial, which takes minutes."""

    def __init__(self) -> None:
        self.figures = Figures(seed=0, faults=[])
        self.asked: dict[str, Any] = {}
        self.reports = 0

    def trial(self, **asked: Any) -> Figures:
        self.asked = asked
        return self.figures

    def report(self, _figures: Figures) -> None:
        self.reports += 1


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ran:
    ran = Ran()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "run_trial", ran.trial)
    monkeypatch.setattr(command, "write_report", ran.report)
    return ran


def run(*arguments: str) -> int:
    return run_command_line(command.app, "chaos", arguments, command="chaos")


def test_a_whole_trial_without_violations_writes_the_page(ran: Ran) -> None:
    assert run("--operations", "50000") == 0
    assert ran.reports == 1


@pytest.mark.parametrize("part", [("--operations", "49999"), ("--only", "lost-answer")])
def test_a_part_of_it_does_not(ran: Ran, part: tuple[str, ...]) -> None:
    assert run(*part) == 0
    assert ran.reports == 0


def test_only_one_kind_is_met(ran: Ran) -> None:
    run("--only", "lost-answer")

    assert [fault.name for fault in ran.asked["faults"]] == ["lost-answer"]


def test_the_seed_is_printed_and_another_each_time(
    ran: Ran, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--operations", "10")
    one = ran.asked["seed"]
    assert f"seed {one}:" in capsys.readouterr().out
    run("--operations", "10")
    assert ran.asked["seed"] != one
    run("--seed", "7", "--operations", "10")
    assert ran.asked["seed"] == 7


def test_a_violation_is_a_no_and_its_history_is_printed(
    ran: Ran, capsys: pytest.CaptureFixture[str]
) -> None:
    ran.figures.violations = [VIOLATION] * 5

    assert run("--operations", "50000") == 1
    said = capsys.readouterr().err
    assert "a seat is lost, room BCDF23:\nwho sat there\nwho does not\n" in said
    assert "5 a seat is lost" in said
    assert ran.reports == 0


def test_a_token_in_the_log_is_a_no(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    ran.figures.leaks = ["chaos-12"]

    assert run("--operations", "50000") == 1
    assert "in the function's log: chaos-12" in capsys.readouterr().err


def test_a_checker_that_is_wrong_is_not_asked(
    ran: Ran, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "wrong_verdicts", lambda: ["a seat is lost"])

    assert run("--operations", "10") == 2
    assert "the checker is wrong about: a seat is lost" in capsys.readouterr().err
    assert ran.asked == {}


def test_a_kind_that_there_is_not_is_named_with_those_that_are(
    ran: Ran, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--only", "lightning") == 2
    assert "lost-answer" in capsys.readouterr().err
    assert ran.asked == {}
