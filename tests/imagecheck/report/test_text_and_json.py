"""The answer of a check as text and as JSON."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from imagecheck.function import Function
from imagecheck.ignore import Ignored
from imagecheck.report import as_json, as_text
from imagecheck.rules import BY_ID
from tests.support.imagecheck.findings import error
from tests.support.imagecheck.reports import DIGEST, ERROR, EVIL, WARNING, report

RULES = "https://github.com/hima-five-bomber/rooms/blob/main/docs/rules.md"


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9]*m", "", text)


def test_text() -> None:
    assert plain(as_text(report(ERROR, WARNING))).splitlines() == [
        "oci:x",
        f"  digest   {DIGEST}",
        "  image    x86_64",
        "  function Rooms, x86_64",
        "  starts   /run app.handler",
        "",
        "✗ C6  The entrypoint is missing",
        "    on Lambda: Runtime.InvalidEntrypoint, at the first",
        "    start: at the first invocation, or with provisioned",
        "    concurrency",
        "    `/run`: file missing (ENOENT)",
        "    fix: COPY it",
        f"    {RULES}#c6",
        "",
        "! H1  A base image by tag",
        "    on Lambda: at the next build or deployment",
        "    a base by tag and so on and so on and so on and so on",
        "    and so on and so on and so on and so on and so on and so",
        "    on",
        "    fix: pin it",
        f"    {RULES}#h1",
        "",
        "Not checked:",
        "    the files of the image: not all of it could be read",
        "",
        "1 error, 1 warning: do not deploy this image",
    ]


@pytest.mark.parametrize(
    ("findings", "ignored", "verdict"),
    [
        ((), (), "no problems found; 1 thing not checked"),
        ((WARNING,), (), "no errors, 1 warning; 1 thing not checked"),
        ((ERROR, ERROR), (), "2 errors, no warnings: do not deploy this image"),
        ((), (Ignored(ERROR, ""),), "no problems found; 1 ignored; 1 thing not checked"),
        (
            (ERROR,),
            (Ignored(ERROR, ""),),
            "1 error, no warnings: do not deploy this image; 1 ignored",
        ),
    ],
)
def test_the_last_line_is_the_verdict(
    findings: tuple[Any, ...], ignored: tuple[Ignored, ...], verdict: str
) -> None:
    of = replace(report(*findings), ignored=ignored)

    assert plain(as_text(of)).splitlines()[-1] == verdict


def test_what_is_ignored_is_printed_with_its_reason() -> None:
    of = replace(report(), ignored=(Ignored(ERROR, "never loaded"), Ignored(WARNING, "")))

    text = " ".join(plain(as_text(of)).split())

    assert (
        "Ignored: C6 (never loaded): `/run`: file missing (ENOENT) H1 (no reason given): " in text
    )
    found = json.loads(as_json(of, "check"))["ignored"]
    assert [(one["rule"], one["reason"]) for one in found] == [("C6", "never loaded"), ("H1", "")]


def test_what_was_not_checked_is_said() -> None:
    of = report()
    assumed = replace(of, subject=replace(of.subject, function=Function("arm64", is_assumed=True)))

    assert "whether the image is for the function's CPU" in plain(as_text(assumed))
    assert "function arm64 (assumed)" in plain(as_text(assumed))
    found = json.loads(as_json(assumed, "check"))
    assert found["function"]["isAssumed"] is True
    assert [one.partition(":")[0] for one in found["notChecked"]] == [
        "whether the image is for the function's CPU", "the files of the image",
    ]  # fmt: skip


def test_a_digest_that_was_asked_for_is_not_repeated() -> None:
    text = as_text(report(name=f"oci:x@{DIGEST}"))

    assert text.count(DIGEST) == 1


def test_differences() -> None:
    text = plain(as_text(report(), ["CMD ['a'] → ['b']", "files new: /x"]))
    same = plain(as_text(report(), []))

    assert "1. CMD ['a'] → ['b']" in text
    assert "2. files new: /x" in text
    assert "none: the images are the same" in " ".join(same.split())
    assert "Differences" not in plain(as_text(report()))


def test_json() -> None:
    found = json.loads(as_json(report(ERROR, WARNING), "check"))

    assert found == {
        "version": 1,
        "command": "check",
        "ok": False,
        "image": "oci:x",
        "digest": DIGEST,
        "architecture": "x86_64",
        "function": {"architecture": "x86_64", "isAssumed": False, "logicalId": "Rooms"},
        "starts": ["/run", "app.handler"],
        "handler": None,
        "findings": [
            {
                "rule": "C6",
                "title": "The entrypoint is missing",
                "severity": "error",
                "errorType": "Runtime.InvalidEntrypoint",
                "when": BY_ID["C6"].when,
                "found": "`/run`: file missing (ENOENT)",
                "fix": "COPY it",
                "line": None,
                "url": f"{RULES}#c6",
            },
            {
                "rule": "H1",
                "title": "A base image by tag",
                "severity": "warning",
                "errorType": "",
                "when": BY_ID["H1"].when,
                "found": WARNING.found,
                "fix": "pin it",
                "line": None,
                "url": f"{RULES}#h1",
            },
        ],
        "ignored": [],
        "notChecked": ["the files of the image: not all of it could be read"],
    }
    assert json.loads(as_json(report(), "check", ["a"]))["differences"] == ["a"]
    assert json.loads(as_json(report(), "check", []))["differences"] == []


@pytest.mark.parametrize(
    ("image", "lambda_"), [("amd64", "x86_64"), ("arm64", "arm64"), ("s390x", "s390x")]
)
def test_the_cpu_is_named_as_lambda_names_it(image: str, lambda_: str) -> None:
    assert json.loads(as_json(report(architecture=image), "check"))["architecture"] == lambda_


def test_json_is_text_that_no_terminal_obeys() -> None:
    printed = as_json(report(error("C6", EVIL, EVIL), architecture=EVIL), "check", [EVIL])

    assert all(c.isprintable() or c == "\n" for c in printed)
    found = json.loads(printed)
    assert (found["findings"][0]["found"], found["architecture"]) == (EVIL, EVIL)
    assert found["differences"] == [EVIL]
    assert "\N{GRINNING FACE}é" in printed


def test_text_is_text_that_no_terminal_obeys() -> None:
    name = f"oci:{EVIL}"
    printed = plain(as_text(report(error("C6", EVIL, EVIL), architecture=EVIL, name=name), [EVIL]))

    assert all(c.isprintable() or c == "\n" for c in printed)


def test_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in ("1", "4", "0", "nonsense"):
        monkeypatch.setenv("COLUMNS", columns)
        assert "COPY" in as_text(report(ERROR))


def test_every_rule_is_printed_with_its_title() -> None:
    text = plain(as_text(report(*(error(rule, "x", "y") for rule in BY_ID))))

    for rule in BY_ID.values():
        assert f"✗ {rule.id}  {rule.title}" in text
        assert rule.error_type in text
