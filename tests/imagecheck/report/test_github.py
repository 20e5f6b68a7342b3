"""Annotations, read as GitHub's runner reads them."""

import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from imagecheck.ignore import Ignored
from imagecheck.report import ProjectFiles, as_github
from tests.support.imagecheck.findings import error
from tests.support.imagecheck.reports import ERROR, EVIL, WARNING, report

# As actions/runner does: src/Runner.Common/ActionCommand.cs.
_COMMAND = re.compile(r"::(\w+)(?: ([^:]*))?::(.*)")
_ESCAPED = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}


def read(text: str) -> list[tuple[str, dict[str, str], str]]:
    """The commands among the lines."""
    found = []
    for line in text.splitlines():
        if command := _COMMAND.fullmatch(line):
            pairs = [pair.split("=", 1) for pair in (command[2] or "").split(",") if pair]
            properties = {name: unescaped(value) for name, value in pairs}
            found.append((command[1], properties, unescaped(command[3])))
    return found


def unescaped(text: str) -> str:
    for written, character in _ESCAPED.items():
        text = text.replace(written, character)
    return text.replace("%25", "%")


def test_a_finding_is_an_annotation_of_its_severity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lined = msgspec.structs.replace(WARNING, line=3)

    first, second, third = read(as_github(report(ERROR, lined), ProjectFiles(Path("Dockerfile"))))

    assert first[:2] == (
        "error",
        {"file": "Dockerfile", "line": "1", "title": "C6 The entrypoint is missing"},
    )
    assert first[2].splitlines()[:3] == ["oci:x", "`/run`: file missing (ENOENT)", "fix: COPY it"]
    assert first[2].endswith("/docs/rules.md#c6")
    assert (second[0], second[1]["line"]) == ("warning", "3")
    assert (third[0], third[1]) == ("notice", {"title": "Not checked"})


def test_without_a_file_there_is_no_place() -> None:
    ((_, properties, _), *_) = read(as_github(report(ERROR), ProjectFiles()))

    assert properties == {"title": "C6 The entrypoint is missing"}


def test_the_last_line_is_the_verdict() -> None:
    text = as_github(report(ERROR), ProjectFiles())

    assert text.splitlines()[-1] == "oci:x: 1 error, no warnings: do not deploy this image"


def test_what_is_ignored_is_a_notice_with_its_reason() -> None:
    of = replace(report(), ignored=(Ignored(ERROR, "a, b: c"),))

    ((name, properties, _), *_) = read(as_github(of, ProjectFiles()))

    assert (name, properties["title"]) == ("notice", "C6 ignored: a, b: c")


@pytest.mark.parametrize("text", ["100%", "a::error::b", "a,b=c", "two\nlines", "%0A"])
def test_no_text_of_an_image_is_taken_for_a_command(text: str) -> None:
    printed = as_github(
        report(error("C6", text, text), name=f"oci:{text}"), ProjectFiles(Path(text))
    )
    command, *_ = read(printed)

    assert (command[0], command[1]["title"]) == ("error", "C6 The entrypoint is missing")
    assert text in command[2]
    # A line that begins a command begins with it.
    assert sum(line.startswith("::") for line in printed.splitlines()) == 2


def test_a_terminal_obeys_nothing_of_it() -> None:
    printed = as_github(report(error("C6", EVIL, EVIL), name=f"oci:{EVIL}"), ProjectFiles())

    assert all(c.isprintable() or c == "\n" for c in printed)
