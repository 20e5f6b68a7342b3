"""The reference of commands is what the command lines say."""

import re
import subprocess
import sys

import pytest

from release.cli import COMMANDS
from tests.support.cdk_context import ROOT
from tools import commands

TEXT = commands.render()


def section(title: str) -> str:
    found = re.search(rf"^### {re.escape(title)}\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def test_the_committed_reference_is_the_generated_one() -> None:
    assert commands.PATH.read_text(encoding="utf-8") == TEXT, (
        "docs/commands.md is stale: run `make commands`"
    )


def test_every_command_is_in_one_group_and_has_one_section() -> None:
    grouped = [name for names in commands.groups_of_commands().values() for name in names]

    assert sorted(grouped) == sorted(COMMANDS)
    titles = re.findall(r"^### (.+)$", TEXT, re.MULTILINE)
    assert titles == [*grouped, "lambda-image-check"]
    assert re.findall(r"^\| \[`([\w-]+)`\]\(#([\w-]+)\)", TEXT, re.MULTILINE) == [
        (title, title) for title in titles
    ]


@pytest.mark.parametrize("name", [*COMMANDS, "lambda-image-check"])
def test_a_section_has_every_option_and_the_exit_status(name: str) -> None:
    command = {**commands.release_commands(), "lambda-image-check": commands.check_command()}[name]
    text = section(name)

    for option in commands.options_of(command):
        assert re.search(rf"`{re.escape(option)}`", text), option
    assert text.count("Exit status 0") == 1


def test_the_usage_is_the_one_of_help() -> None:
    """Ask one command itself: the reference is made from its objects, not from its output."""
    asked = [sys.executable, "-m", "release", "deploy", "--help"]
    shown = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    options = set(re.findall(r"(?<![\w-])--[a-z-]+", section("deploy").split("|---|---|---|")[1]))

    assert options
    for option in options:
        assert option in shown
