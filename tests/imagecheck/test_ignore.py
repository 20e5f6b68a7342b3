"""Ignored findings: on the command line, in a file, in the configuration."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from imagecheck.cli import main
from imagecheck.config import find_config, read_config
from imagecheck.ignore import Ignore, UnknownRuleError, parse_ignore, read_ignore_file
from imagecheck.image.errors import ImageReadError
from tests.support.imagecheck.cases import FOREIGN, HOST_CPU, run, scratch
from tests.support.imagecheck.findings import error

Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Check:
    """Check an image that C2 refuses, from a folder of its own."""
    image = scratch(run(FOREIGN))(tmp_path / "image")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")
    work = tmp_path / "work"
    work.mkdir()
    (work / ".git").mkdir()
    monkeypatch.chdir(work)

    def call(*arguments: str) -> tuple[int, str, str]:
        command = ["lambda-image-check", image.reference, "--architecture", HOST_CPU, *arguments]
        monkeypatch.setattr(sys, "argv", command)
        status = main()
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


def test_an_error_that_is_ignored_stops_nothing_and_is_printed(check: Check) -> None:
    assert check()[0] == 1

    status, out, _ = check("--ignore", "C2=a test image = fine")

    assert status == 0
    assert "Ignored:\n    C2 (a test image = fine): " in out
    assert "✗" not in out
    assert "no problems found; 1 ignored" in out


def test_one_rule_that_is_ignored_switches_off_no_other(check: Check) -> None:
    status, out, _ = check("--ignore", "C6", "--json")

    assert (status, json.loads(out)["findings"][0]["rule"]) == (1, "C2")


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_every_format_says_what_was_ignored(check: Check, form: str) -> None:
    status, out, _ = check("--ignore", "C2=why not", "--format", form)

    assert status == 0
    assert "why not" in out


def test_a_file_of_rules(check: Check, tmp_path: Path) -> None:
    file = tmp_path / "ignored"
    file.write_text("# decided in May\n\nC2 = a test image  # really\nC6\n")

    assert read_ignore_file(file) == (Ignore(rule="C2", reason="a test image"), Ignore(rule="C6"))
    assert check("--ignore-file", str(file))[0] == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lambda-image-check.toml", '[[ignore]]\nrule = "C2"\nreason = "a test"\n'),
        ("pyproject.toml", '[[tool.lambda-image-check.ignore]]\nrule = "C2"\nreason = "a test"\n'),
    ],
)
def test_the_configuration_is_found_from_any_folder_below(
    check: Check, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    Path(name).write_text(text)
    below = Path("a/b")
    below.mkdir(parents=True)
    monkeypatch.chdir(below)

    status, out, _ = check()

    assert (status, "C2 (a test)" in out) == (0, True)


def test_the_configuration_of_another_work_tree_is_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / "lambda-image-check.toml").write_text("")
    (tmp_path / "one/.git").mkdir(parents=True)
    (tmp_path / "two").mkdir()
    (tmp_path / "two/pyproject.toml").write_text("[project]\n")

    assert find_config(tmp_path / "one") is None
    # A pyproject.toml without the table is as good as none.
    assert find_config(tmp_path / "two") == tmp_path / "lambda-image-check.toml"


def test_a_configuration_can_be_named(check: Check, tmp_path: Path) -> None:
    Path("lambda-image-check.toml").write_text('[[ignore]]\nrule = "C2"\nreason = "here"\n')
    empty = tmp_path / "empty.toml"
    empty.write_text("")

    assert check()[0] == 0
    assert check("--config", str(empty))[0] == 1


@pytest.mark.parametrize(
    ("image", "found", "covers"),
    [
        ("", "", True),
        ("docker://*/rooms@*", "", True),
        ("docker://*/other@*", "", False),
        ("", "*/node_modules/debugger/*", True),
        ("", "*/node_modules/sharp/*", False),
        ("docker://*/rooms@*", "*/node_modules/sharp/*", False),
    ],
)
def test_patterns_narrow_what_is_ignored(image: str, found: str, covers: bool) -> None:
    finding = error("E7", "`/var/task/node_modules/debugger/a.node` is for arm64", "remove it")
    ignore = Ignore(rule="E7", image=image, found=found)

    assert ignore.covers(finding, "docker://h/rooms@sha256:1") is covers
    assert not Ignore(rule="E6", image=image, found=found).covers(finding, "docker://h/rooms@x")


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("C66", "hint: did you mean C6"),
        ("e02", "hint: did you mean E2"),
        (
            "nonsense",
            "error: unknown rule 'nonsense'\nhint: `lambda-image-check --list-rules` prints all",
        ),
        ("", "--list-rules"),
    ],
)
def test_a_rule_that_is_unknown_is_an_error_with_those_that_are_near(
    check: Check, written: str, hint: str
) -> None:
    status, out, err = check("--ignore", f"{written}=reason")

    assert (status, out) == (2, "")
    assert hint in err
    with pytest.raises(UnknownRuleError):
        parse_ignore(written)


def test_small_letters_will_do() -> None:
    assert parse_ignore("c6") == Ignore(rule="C6")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[ignore]]\nrule = "C2"\n', "missing required field `reason`"),
        ('[[ignore]]\nrule = "C2"\nreason = " "\n', "the reason why C2 is ignored is empty"),
        ('[[ignore]]\nrule = "C2"\nreason = "x"\nfile = "y"\n', "unknown field `file`"),
        ('ignore = ["C2"]\n', "Expected `object`"),
        ("ignored = []\n", "unknown field `ignored`"),
        ("[[ignore\n", "is not valid TOML"),
    ],
)
def test_a_configuration_that_is_wrong_says_where(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "lambda-image-check.toml"
    file.write_text(text)

    with pytest.raises(ImageReadError, match=r"lambda-image-check\.toml") as caught:
        read_config(file)

    assert told in str(caught.value)


def test_a_rule_that_is_unknown_in_a_file_says_in_which(tmp_path: Path) -> None:
    file, config = tmp_path / "ignored", tmp_path / "lambda-image-check.toml"
    file.write_text("C2\nC66\n")
    config.write_text('[[ignore]]\nrule = "C66"\nreason = "x"\n')

    with pytest.raises(UnknownRuleError, match=r"ignored, line 2: .*'C66'"):
        read_ignore_file(file)
    with pytest.raises(UnknownRuleError, match=r"lambda-image-check\.toml: .*'C66'"):
        read_config(config)


def test_a_file_that_is_not_there_is_told(check: Check) -> None:
    for option in ("--ignore-file", "--config"):
        status, _, err = check(option, "nowhere.toml")
        assert (status, "nowhere.toml: No such file" in err) == (2, True)
