"""The command line, run in this process: as in a shell, and faster."""

import sys
from collections.abc import Callable

import pytest

from release.cli import main
from tests.support.release.output import parse_output

Run = Callable[..., tuple[int, str, str]]
"""Runs a command, and returns its status, its answer and what else it says."""


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Make one for a test; a conftest.py offers it as the fixture ``run``."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["release", *arguments])
        status = main()
        printed = capsys.readouterr()
        if "--json" in arguments and printed.out:
            assert parse_output(printed.out)["ok"] is (status == 0)
        return status, printed.out, printed.err

    return run
