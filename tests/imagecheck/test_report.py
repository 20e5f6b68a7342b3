"""What a check prints."""

import json
import re
from typing import Any

import pytest

from imagecheck.check import Report
from imagecheck.function import Declared, Function
from imagecheck.image.image import Image
from imagecheck.image.manifest import parse_config
from imagecheck.image.reference import parse_reference
from imagecheck.report import as_json, as_text
from imagecheck.rules import BY_ID
from imagecheck.subject import Subject
from tests.imagecheck.findings import error, warning

DIGEST = "sha256:" + "0" * 64


def report(*findings: Any, name: str = "oci:x", architecture: str = "amd64") -> Report:
    config = {
        "architecture": architecture,
        "config": {"Entrypoint": ["/run"], "Cmd": ["app.handler"]},
    }
    image = Image(
        parse_reference(name),
        compressed_on_push=False,
        digest=DIGEST,
        config=parse_config(json.dumps(config).encode()),
    )
    function = Function("x86_64", declared=Declared("Rooms", {}, ""))
    return Report(Subject(image, function, lambda _: {}), findings)


@pytest.fixture(autouse=True)
def _width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9]*m", "", text)


ERROR = error("C6", "`/run`: file missing (ENOENT)", "COPY it")
WARNING = warning("H1", "a base by tag " + "and so on " * 10, "pin it")


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
        "",
        "! H1  A base image by tag",
        "    on Lambda: at the next build or deployment",
        "    a base by tag and so on and so on and so on and so on",
        "    and so on and so on and so on and so on and so on and so",
        "    on",
        "    fix: pin it",
        "",
        "1 error, 1 warning: do not deploy this image",
    ]


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ((), "no errors, no warnings: nothing that can be seen here stops it"),
        ((WARNING,), "no errors, 1 warning: nothing that can be seen here stops it"),
        ((ERROR, ERROR), "2 errors, no warnings: do not deploy this image"),
    ],
)
def test_the_last_line_is_the_verdict(findings: tuple[Any, ...], verdict: str) -> None:
    assert plain(as_text(report(*findings))).splitlines()[-1] == verdict


def test_a_digest_that_was_asked_for_is_not_repeated() -> None:
    text = as_text(report(name=f"oci:x@{DIGEST}"))

    assert text.count(DIGEST) == 1


def test_differences() -> None:
    text = plain(as_text(report(), ["CMD ['a'] → ['b']", "files new: /x"]))
    same = plain(as_text(report(), []))

    assert "1. CMD ['a'] → ['b']" in text
    assert "2. files new: /x" in text
    assert "nothing: the images are the same" in " ".join(same.split())
    assert "differs" not in plain(as_text(report()))


def test_json() -> None:
    found = json.loads(as_json(report(ERROR, WARNING)))

    assert found == {
        "image": "oci:x",
        "digest": DIGEST,
        "architecture": "x86_64",
        "findings": [
            {
                "rule": "C6",
                "severity": "error",
                "error_type": "Runtime.InvalidEntrypoint",
                "when": BY_ID["C6"].when,
                "found": "`/run`: file missing (ENOENT)",
                "fix": "COPY it",
            },
            {
                "rule": "H1",
                "severity": "warning",
                "error_type": "",
                "when": BY_ID["H1"].when,
                "found": WARNING.found,
                "fix": "pin it",
            },
        ],
    }
    assert json.loads(as_json(report(), ["a"]))["differences"] == ["a"]
    assert json.loads(as_json(report(), []))["differences"] == []


@pytest.mark.parametrize(
    ("image", "lambda_"), [("amd64", "x86_64"), ("arm64", "arm64"), ("s390x", "s390x")]
)
def test_the_cpu_is_named_as_lambda_names_it(image: str, lambda_: str) -> None:
    assert json.loads(as_json(report(architecture=image)))["architecture"] == lambda_


EVIL = "\x1b[2J\x07\u009b31m\u202e\r\n\t\x7f\N{GRINNING FACE}é"


def test_json_is_text_that_no_terminal_obeys() -> None:
    printed = as_json(report(error("C6", EVIL, EVIL), architecture=EVIL), [EVIL])

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
