"""docs/security.md: what it says is shown by tests that there are."""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests.support.cdk_context import ROOT
from tests.support.documents import Document, document, tracked

PAGE = document("docs/security.md")
NAMED = re.compile(r"\[([^\]\s]+)::(\w+)\]\(([^)\s]+)\)")


def lines(page: Document) -> list[str]:
    return [line for line in page.text.splitlines() if line.startswith("- ")]


def missing(text: str) -> Iterator[str]:
    """The tests that are named in a text and that pytest would not collect and run."""
    for file, test, link in NAMED.findall(text):
        path = PurePosixPath(link.removeprefix("../"))
        is_test_file = path.name == file and path.match("test_*.py") and path.parts[0] == "tests"
        if not (is_test_file and str(path) in tracked() and test in collected(path)):
            yield f"{file}::{test}"


def collected(path: PurePosixPath) -> set[str]:
    """The test functions of a module, but for those that are skipped or expected to fail."""
    module = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {
        found.name
        for found in module.body
        if isinstance(found, ast.FunctionDef)
        and found.name.startswith("test_")
        and not any(
            re.search(r"\b(skip|skipif|xfail)\b", ast.unparse(mark))
            for mark in found.decorator_list
        )
    }


def test_every_line_names_a_test_that_shows_it() -> None:
    assert len(lines(PAGE)) > 30
    for line in lines(PAGE):
        assert NAMED.search(line), line


def test_every_test_that_it_names_is_collected() -> None:
    assert list(missing(PAGE.text)) == []


def test_nothing_looks_like_a_test_and_is_not_looked_at() -> None:
    assert len(NAMED.findall(PAGE.text)) == PAGE.text.count("::")


@pytest.mark.parametrize(
    "link",
    [
        "[test_security.py::test_no_such_test](../tests/docs/test_security.py)",
        "[test_security.py::missing](../tests/docs/test_security.py)",
        "[test_other.py::test_every_line_names_a_test_that_shows_it](../tests/docs/test_security.py)",
        "[test_no.py::test_every_line_names_a_test_that_shows_it](../tests/docs/test_no.py)",
        "[documents.py::tracked](../tests/support/documents.py)",
    ],
)
def test_a_test_that_there_is_not_is_found(link: str) -> None:
    assert len(list(missing(f"- It cannot. {link}"))) == 1


@pytest.mark.parametrize(
    "who",
    [
        "a room code",
        "a player id",
        "a log line",
        "the api's address",
        "a pull request",
        "a fork",
        "a stolen deploy role",
        "a poisoned base image",
        "the registry",
    ],
)
def test_everybody_has_a_part(who: str) -> None:
    assert any(heading.lower().startswith(who) for heading in PAGE.headings())
