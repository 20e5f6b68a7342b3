"""The page for strangers says what the command does."""

import json
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from imagecheck.cli import app, main
from imagecheck.config import read_config
from imagecheck.ignore import Ignore
from tests.support.cdk_context import ROOT
from tests.support.imagecheck.example import HANDLER, PACKAGE, write_archive
from tests.support.imagecheck.images import File
from tests.support.imagecheck.programs import AARCH64, X86_64

PAGE = (ROOT / "docs/lambda-image-check.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for name, text in FENCE.findall(PAGE) if name == language]


def archive(name: str, machine: int, *members: File) -> None:
    write_archive(Path(), name, machine, *members)


@pytest.fixture(autouse=True)
def _away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")


def printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> str:
    """What a command of the page prints."""
    monkeypatch.setattr(sys, "argv", shlex.split(command.split("lambda-image-check ", 1)[1]))
    sys.argv.insert(0, "lambda-image-check")
    main()
    return capsys.readouterr().out


def test_the_first_screen_is_a_real_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive("image", AARCH64, HANDLER, *PACKAGE)
    command = blocks("console")[0].splitlines()[-1]

    assert printed(monkeypatch, capsys, command) == blocks("text")[0]


def test_what_differs_is_a_real_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive("yesterday", X86_64, HANDLER, *PACKAGE)
    archive("today", X86_64, HANDLER)

    assert blocks("text")[1] in printed(monkeypatch, capsys, blocks("console")[1])


def test_the_json_has_the_keys_that_are_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    archive("image", AARCH64, HANDLER, *PACKAGE)
    (shown,) = map(json.loads, blocks("json"))
    arguments = "lambda-image-check docker-archive:image.tar --architecture x86_64 --json"
    real = json.loads(printed(monkeypatch, capsys, arguments))

    assert keys(shown) == keys(real)
    assert shown["notChecked"] == real["notChecked"]


def keys(document: dict[str, Any]) -> list[Any]:
    return [*document, *document["findings"][0], *document["function"]]


def test_every_option_that_it_names_is_one() -> None:
    command = typer.main.get_command(app)
    known = {name for option in command.params for name in option.opts}
    # Of docker, skopeo, uvx, pre-commit and aws.
    others = {"--platform", "--provenance", "--output", "--from", "--with", "--hook-type"}
    others |= {"--function-name", "--query"}

    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE)) - others <= known


def test_its_configuration_is_read() -> None:
    (text,) = blocks("toml")
    Path("lambda-image-check.toml").write_text(text)

    (ignore,) = read_config(Path("lambda-image-check.toml"))

    assert ignore == Ignore(
        rule="E7",
        reason="the debugger is never loaded on Lambda",
        image="docker://*/rooms@*",
        found="*/node_modules/debugger/*",
    )


def test_its_workflow_names_inputs_of_the_action_and_its_hook_is_one() -> None:
    workflow, config = map(yaml.safe_load, blocks("yaml"))
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))

    assert set(workflow["steps"][-1]["with"]) <= set(action["inputs"])
    assert config["repos"][0]["hooks"][0]["id"] in {hook["id"] for hook in hooks}
